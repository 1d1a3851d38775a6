"""503 within 100 ms where nobody can know: counted by the waits that lead to it, so that no busy machine matters."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest

from shared.clients.aws_types import DynamoDBClient
from shared.errors import Unavailable
from shared.settings import SharedSettings
from shared.testing.tokens import TokenFactory
from shared.tokens.direct_reads import MAX_WAITING, DirectReads
from shared.tokens.key_source import StaticKeySource
from shared.tokens.revocation import RevokedSet
from shared.tokens.revocation_status import RevocationStatus
from shared.tokens.verifier import Verifier
from tests.support.virtual_time import run_in_virtual_time

PROMISED_SECONDS = 0.1
CROWD = MAX_WAITING + 200


class Stale:
    """Nothing is heard of revocations."""

    revoked = RevokedSet()

    def staleness(self, now_monotonic: float) -> float:
        return now_monotonic + 3600


class DynamoDB:
    """Answers as it is told to."""

    def __init__(self, answer: Callable[[], Awaitable[object]]) -> None:
        self._answer = answer

    async def batch_get_item(self, **_: Any) -> object:  # noqa: ANN401 - a request of any kind
        return await self._answer()


async def hangs() -> object:
    return await asyncio.get_running_loop().create_future()


async def is_late() -> object:
    """It fails shortly before it is given up, so that those who wait behind it have not much time left."""
    await asyncio.sleep(SharedSettings.model_fields["revocation_read_timeout_seconds"].default * 0.99)
    raise OSError("reset")


async def waits_of_a_crowd(tokens: TokenFactory, answer: Callable[[], Awaitable[object]]) -> list[float]:
    """Seconds until each of them is told that nobody knows."""
    timeout_seconds = SharedSettings.model_fields["revocation_read_timeout_seconds"].default
    direct = DirectReads(cast("DynamoDBClient", DynamoDB(answer)), "revocations", timeout_seconds=timeout_seconds)
    status = RevocationStatus(Stale(), direct, max_staleness_seconds=2)
    verifier = Verifier(StaticKeySource(tokens.key_set()), status, tokens.policy)
    token = tokens.mint()
    loop = asyncio.get_running_loop()

    async def ask() -> float:
        began = loop.time()
        with pytest.raises(Unavailable):
            await verifier.verify(token)
        return loop.time() - began

    waits = await asyncio.gather(*(ask() for _ in range(CROWD)))
    await direct.stop()
    return waits


@pytest.mark.parametrize("answer", [hangs, is_late])
def test_each_of_a_crowd_is_told_in_time_that_nobody_knows(
    tokens: TokenFactory, answer: Callable[[], Awaitable[object]]
) -> None:
    waits, _ = run_in_virtual_time(waits_of_a_crowd(tokens, answer))
    assert len(waits) == CROWD
    assert max(waits) <= PROMISED_SECONDS
