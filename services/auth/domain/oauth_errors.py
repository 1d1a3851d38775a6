"""What `/oauth2/` refuses, in the words of RFC 6749 §5.2 (and RFC 7009 §2.2.1)."""

from typing import ClassVar


class OAuthError(Exception):
    """`error` is the RFC's code; `description` is for the developer of the client and holds nothing secret."""

    error: ClassVar[str]
    status: ClassVar[int] = 400

    def __init__(self, description: str) -> None:
        super().__init__(description)
        self.description = description


class InvalidOAuthRequest(OAuthError):  # noqa: N818 - the RFC's word
    error = "invalid_request"


class InvalidClient(OAuthError):  # noqa: N818 - the RFC's word
    """`by_header`: the client tried HTTP Basic, so the answer must carry a challenge."""

    error = "invalid_client"
    status = 401

    def __init__(self, description: str, *, by_header: bool) -> None:
        super().__init__(description)
        self.by_header = by_header


class InvalidGrant(OAuthError):  # noqa: N818 - the RFC's word
    error = "invalid_grant"


class InvalidScope(OAuthError):  # noqa: N818 - the RFC's word
    error = "invalid_scope"


class UnsupportedGrantType(OAuthError):  # noqa: N818 - the RFC's word
    error = "unsupported_grant_type"


class UnauthorizedClient(OAuthError):  # noqa: N818 - the RFC's word
    """The client is known, and not registered for this grant."""

    error = "unauthorized_client"
