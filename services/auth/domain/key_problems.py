"""What auth refuses to do with its keys, and how the administrator is told."""

from shared.errors import Conflict, NotFound


class KeysNotManaged(Conflict):
    """The keys come from `MAYFLY_SIGNING_KEY` and `MAYFLY_OTHER_KEYS`: auth can't change them."""

    code, title = "keys-not-managed", "The keys come from settings"

    def __init__(self) -> None:
        super().__init__(
            "Rotate them by changing MAYFLY_SIGNING_KEY and MAYFLY_OTHER_KEYS. If a key was stolen: once another "
            "signs, revoke it with POST /api/admin/revocations, kind key."
        )


class KeyNotFound(NotFound):
    """The key ring has no key of this `kid`, or it has retired."""

    code, title = "key-not-found", "There is no such key"

    def __init__(self) -> None:
        super().__init__("There is no key with this kid. GET /api/admin/keys lists them.")


class TooManyKeysRetiring(Conflict):
    """Keys were rotated so often that the published set is full."""

    code, title = "too-many-keys-retiring", "Too many keys are retiring"

    def __init__(self) -> None:
        super().__init__("Rotate again when one has retired: GET /api/admin/keys says when.")
