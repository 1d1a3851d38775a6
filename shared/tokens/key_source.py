"""Where the keys come from: what a verifier asks, and the set that a process simply has."""

from typing import Protocol

from shared.tokens.keyset import KeySet


class KeySource(Protocol):
    """Gives the key set in force. A verifier compares it by identity, so an unchanged set stays the same object."""

    def current(self) -> KeySet:
        """The key set, out of memory.

        Raises:
            Unavailable: there is none, or it is too old to be believed.
        """
        ...

    async def look_for(self, kid: str) -> KeySet:
        """The key set after having looked for a key that `current` lacks; it may still lack it.

        Raises:
            Unavailable: whether there is such a key can't be known now. The token may be good.
        """
        ...


class StaticKeySource:
    """The keys of a process that holds them itself, as auth does."""

    def __init__(self, key_set: KeySet) -> None:
        self._key_set = key_set

    def current(self) -> KeySet:
        return self._key_set

    async def look_for(self, kid: str) -> KeySet:  # noqa: ARG002 - there is nowhere to look
        return self._key_set
