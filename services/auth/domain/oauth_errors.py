"""What `/oauth2/` refuses, in the words of RFC 6749 §5.2 (and RFC 7009 §2.2.1)."""

from typing import ClassVar


class OAuthError(Exception):
    """`error` is the RFC's code; `description` is for the developer of the client and holds nothing secret."""

    error: ClassVar[str]
    status: ClassVar[int] = 400

    def __init__(self, description: str) -> None:
        super().__init__(description)
        self.description = description


def in_ascii(description: str) -> str:
    """RFC 6749 §4.1.2.1 and §5.2 allow printable ASCII without quotation mark and backslash."""
    return description.encode("ascii", "replace").decode().replace('"', "'").replace("\\", "/")


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


class InvalidTarget(OAuthError):  # noqa: N818 - RFC 8693's word
    error = "invalid_target"


class UnsupportedGrantType(OAuthError):  # noqa: N818 - the RFC's word
    error = "unsupported_grant_type"


class UnauthorizedClient(OAuthError):  # noqa: N818 - the RFC's word
    """The client is known, and not registered for this grant."""

    error = "unauthorized_client"


class UnsupportedResponseType(OAuthError):  # noqa: N818 - the RFC's word
    """Told at the client's redirect URI (RFC 6749 §4.1.2.1), as the next four may be."""

    error = "unsupported_response_type"


class AccessDenied(OAuthError):  # noqa: N818 - the RFC's word
    """The user said no, or has nothing of what is asked for. A device is told at the token endpoint (RFC 8628 §3.5)."""

    error = "access_denied"


class LoginRequired(OAuthError):  # noqa: N818 - OpenID Connect's word, which OAuth clients know
    """`prompt=none`, and nobody is logged in."""

    error = "login_required"


class ConsentRequired(OAuthError):  # noqa: N818 - OpenID Connect's word, which OAuth clients know
    """`prompt=none`, and the user would have to be asked."""

    error = "consent_required"


class AuthorizationPending(OAuthError):  # noqa: N818 - the RFC's word
    """RFC 8628 §3.5: the user has not decided yet."""

    error = "authorization_pending"


class SlowDown(OAuthError):  # noqa: N818 - the RFC's word
    """RFC 8628 §3.5: asked too soon; the interval is five seconds longer from now on."""

    error = "slow_down"


class ExpiredToken(OAuthError):  # noqa: N818 - the RFC's word
    """RFC 8628 §3.5: nobody decided in time."""

    error = "expired_token"
