"""The grants that a client can be registered for, by their names at the token endpoint."""

from collections.abc import Sequence

AUTHORIZATION_CODE = "authorization_code"  # RFC 6749 §4.1
REFRESH_TOKEN = "refresh_token"  # noqa: S105 - RFC 6749 §6
CLIENT_CREDENTIALS = "client_credentials"  # RFC 6749 §4.4
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"  # RFC 8628
TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"  # noqa: S105 - RFC 8693

REGISTRABLE: Sequence[str] = (AUTHORIZATION_CODE, REFRESH_TOKEN, CLIENT_CREDENTIALS, DEVICE_CODE, TOKEN_EXCHANGE)
