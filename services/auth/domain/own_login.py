"""What only users themselves may do, by a login of their own: look after their account."""

from services.auth.domain.sessions import FIRST_PARTY_CLIENT
from shared.errors import Forbidden
from shared.tokens.claims import Caller


class LoginNeeded(Forbidden):
    """Users look after their account by a login of their own: no client, API key or other service does it for them."""

    code, title = "login-needed", "Log in to do this"

    def __init__(self) -> None:
        super().__init__("Use the token of POST /api/login: not one of a client, of an API key, or an exchanged one.")


def must_be_own_login(caller: Caller) -> str:
    """The username. Scopes tell what a token may do with jobs; none lets a client end the sessions of its user.

    Raises:
        LoginNeeded: the token is not one of `/api/login`.
    """
    username = caller.claims.username
    if caller.client_id != FIRST_PARTY_CLIENT or username is None:
        raise LoginNeeded
    return username
