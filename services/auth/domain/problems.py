"""What auth refuses, and how the client is told."""

from collections.abc import Sequence

from shared.errors import Conflict, FieldError, Forbidden, NotFound, Problem, RateLimited, Unavailable


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


class AdminNeeded(Forbidden):
    """The token is good, but lacks the scope `admin`, which this change asks for."""

    code, title = "insufficient-scope", "The access token does not reach that far"

    def __init__(self, detail: str, errors: Sequence[FieldError] = ()) -> None:
        challenge = 'Bearer error="insufficient_scope", scope="admin"'
        super().__init__(detail, errors=errors, headers={"WWW-Authenticate": challenge})


class WrongPassword(Forbidden):
    """The present password, which a change of it asks for, is wrong."""

    code, title = "wrong-password", "The present password is wrong"

    def __init__(self) -> None:
        super().__init__("/current_password: this is not your password. Send the one that you log in with.")


class UserNotFound(NotFound):
    """There is no user of this id, or it is another user and the caller no administrator."""

    code, title = "user-not-found", "There is no such user"

    def __init__(self) -> None:
        super().__init__("There is no user with this id that you may see. GET /api/me says who you are.")


class UsernameTaken(Conflict):
    """Another user has this name. Names that people take for the same are the same: NFKC, no upper case."""

    code, title = "username-taken", "There is a user of this name"

    def __init__(self) -> None:
        super().__init__("/username: there is a user of this name already; choose another.")


class LastAdmin(Conflict):
    """Nobody would be left who can administer users: the only active user with the role `admin` stays so."""

    code, title = "last-admin", "The last administrator stays"

    def __init__(self) -> None:
        super().__init__("This is the only active administrator. Make another user one first.")


class UserChangedMeanwhile(Conflict):
    """Another request changed the same user at the same time."""

    code, title = "user-changed-meanwhile", "The user was changed meanwhile"

    def __init__(self) -> None:
        super().__init__("Another request changed this user at the same time. Look at the user and ask again.")


class SessionsNotEnded(Unavailable):
    """The password is changed; of the other sessions, which can't be refreshed any more, not all tokens have ended."""

    code, title = "sessions-not-ended", "The password is changed, but not every session has ended"

    def __init__(self) -> None:
        super().__init__(
            "The new password is in force. Access tokens of other sessions may live until they expire. "
            "DELETE /api/sessions ends them all."
        )


class TooManyClientAttempts(RateLimited):
    """From one address came more clients that are none, or wrong secrets of one, than are free."""

    code, title = "too-many-client-attempts", "Too many wrong client secrets"

    def __init__(self, *, retry_after_seconds: float) -> None:
        super().__init__(
            "Too many clients that are none came from your address. Wait, then try again.",
            retry_after_seconds=retry_after_seconds,
        )


class TooManyIntrospections(RateLimited):
    """A client introspects more often than `MAYFLY_INTROSPECTIONS_PER_SECOND` allows, for each instance."""

    code, title = "too-many-introspections", "Too many introspections"


class SessionNotFound(NotFound):
    """The caller has no session of this id; it may be somebody else's."""

    code, title = "session-not-found", "There is no such session"

    def __init__(self) -> None:
        super().__init__("You have no session with this id. GET /api/sessions lists yours.")


class JustRevoked(Unavailable):
    """A token that is issued now could not be told from those that were revoked a moment ago."""

    code, title = "just-revoked", "Revoked a moment ago"

    def __init__(self) -> None:
        super().__init__("All tokens of this user or client were revoked a moment ago. Ask again.")


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


class TooManyDevices(RateLimited):
    """From one address more devices begin than `MAYFLY_DEVICE_STARTS_PER_SECOND` allows, for each instance."""

    code, title = "too-many-devices", "Too many devices"


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
