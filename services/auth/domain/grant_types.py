"""The grants that a client can be registered for, by their names at the token endpoint."""

AUTHORIZATION_CODE = "authorization_code"  # RFC 6749 §4.1
REFRESH_TOKEN = "refresh_token"  # noqa: S105 - RFC 6749 §6
CLIENT_CREDENTIALS = "client_credentials"  # RFC 6749 §4.4
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"  # RFC 8628
TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"  # noqa: S105 - RFC 8693
