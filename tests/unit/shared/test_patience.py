import pytest

from shared.clients.patience import patiently
from shared.errors import Unavailable


async def test_what_only_just_starts_is_asked_again() -> None:
    attempts = []

    async def attempt() -> str:
        attempts.append(1)
        if len(attempts) < 2:
            raise Unavailable("not yet")
        return "there"

    assert await patiently(attempt, within_seconds=30) == "there"


async def test_patience_ends() -> None:
    async def attempt() -> None:
        raise Unavailable("never")

    with pytest.raises(Unavailable, match="never"):
        await patiently(attempt, within_seconds=0)
