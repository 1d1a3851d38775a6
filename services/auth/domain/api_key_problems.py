"""What auth refuses about API keys."""

from shared.errors import Conflict, Forbidden, NotFound


class ApiKeyNotFound(NotFound):
    """The caller has no API key of this id; it may be somebody else's."""

    code, title = "api-key-not-found", "There is no such API key"

    def __init__(self) -> None:
        super().__init__("You have no API key with this id. GET /api/api-keys lists yours.")


class TooManyApiKeys(Conflict):
    """A user has as many API keys as one may have."""

    code, title = "too-many-api-keys", "Too many API keys"

    def __init__(self, most: int) -> None:
        super().__init__(f"You have {most} API keys. Delete one that is not used any more.")


class ScopeTooWide(Forbidden):
    """An API key can't reach further than the token that it is made with."""

    code, title = "scope-too-wide", "That is more than you have"

    def __init__(self, scope: frozenset[str]) -> None:
        super().__init__(f"scope: at most {' '.join(sorted(scope)) or 'none'}, which your token has.")
