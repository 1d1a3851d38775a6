"""What auth refuses, and how the client is told."""

from shared.errors import Forbidden, NotFound, Problem, RateLimited, Unavailable


class InvalidCredentials(Problem):
    """The same answer for an unknown user and for a wrong password."""

    code, status, title = "invalid-credentials", 401, "The username or the password is wrong"

    def __init__(self) -> None:
        # RFC 9110 §11.6.1 wants a challenge with a 401; there is no scheme that a browser should try here.
        super().__init__(
            "Username and password do not belong together. Check both and try again.",
            headers={"WWW-Authenticate": "Mayfly-Login"},
        )


class TooManyAttempts(RateLimited):
    """After some wrong passwords a try must wait, whether its password is right or wrong."""

    code, title = "too-many-attempts", "Too many wrong passwords"


class TooManyLogins(RateLimited):
    """More passwords wait to be checked than this instance can check soon."""

    code, title = "too-many-logins", "Too many logins at once"


class SessionNotFound(NotFound):
    """The caller has no session of this id; it may be somebody else's."""

    code, title = "session-not-found", "There is no such session"

    def __init__(self) -> None:
        super().__init__("You have no session with this id. GET /api/sessions lists yours.")


class JustRevoked(Unavailable):
    """So many revocations of the same in one second that no token of this second could be told from those before."""

    code, title = "just-revoked", "Revoked a moment ago"

    def __init__(self) -> None:
        super().__init__("All tokens of this user or client were revoked a moment ago, several times. Ask again.")


class NotAnnounced(Unavailable):
    """The revocation is durable, verifiers may not know it yet, and we go on trying to tell them."""

    code, title = "revocation-not-announced", "Revoked, but not every verifier knows yet"

    def __init__(self) -> None:
        super().__init__(
            "The revocation is stored and will be announced as soon as Redis answers. Ask again to be sure that it was."
        )


class UnusableAuthorizationRequest(Problem):
    """Client and redirect URI don't belong together, so that nothing is sent there: the user reads this on a page."""

    code, status, title = "authorization-request-unusable", 400, "This link can't be used"


class FormNotOurs(Forbidden):
    """A page's form was sent that was not made for this browser by this server, or is out of date."""

    code, title = "form-not-ours", "This form is out of date"

    def __init__(self) -> None:
        super().__init__("Nothing was done. Go back to where you came from and begin again, with cookies allowed.")


class TooManyCodes(RateLimited):
    """Codes of devices were entered that do not exist, too many in a short time."""

    code, title = "too-many-codes", "Too many wrong codes"


class StatusListNotFound(NotFound):
    """No token that lives names this list."""

    code, title = "status-list-not-found", "There is no such status list"

    def __init__(self) -> None:
        super().__init__(
            "No list has this name (any more). A token's claim status.status_list.uri names the right one."
        )
