"""Clients that go on using a token at every processor, and what they were told: the only witness of the bound."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx

from shared import clock

PAUSE_SECONDS = 0.05
# A limit of 0 is refused by whoever has accepted the token, before a store is asked: what the stores do shows nowhere.
ROUTE = "/api/process?limit=0"
ACCEPTED = 422
REFUSED = 401
UNKNOWN = 503
NO_ANSWER = 0


@dataclass(frozen=True, slots=True)
class Use:
    """One use of a token: when it was sent (monotonic seconds), where, and the answer (0: none) after how long."""

    sent: float
    processor: str
    status: int
    retry_after: str | None
    seconds: float


@dataclass(slots=True)
class TokenInUse:
    """Every use of one token so far."""

    token: str
    uses: list[Use] = field(default_factory=list)

    def statuses(self, *, since: float = 0) -> set[int]:
        return {use.status for use in self.uses if use.sent >= since}

    def last_accepted(self) -> float:
        """When the last use was sent that was accepted."""
        return max((use.sent for use in self.uses if use.status == ACCEPTED), default=0)

    async def until(self, status: int, processors: Sequence[str], *, within_seconds: float) -> None:
        """Until each of these processors has answered with this status since now.

        Raises:
            TimeoutError: one did not.
        """
        since = clock.monotonic()
        async with asyncio.timeout(within_seconds):
            while {use.processor for use in self.uses if use.sent >= since and use.status == status} < set(processors):
                await asyncio.sleep(PAUSE_SECONDS)


@asynccontextmanager
async def in_use(processors: Sequence[str], *tokens: str) -> AsyncIterator[tuple[TokenInUse, ...]]:
    """Within: each token is used at each processor, again and again, one connection each."""
    watched = tuple(TokenInUse(token) for token in tokens)
    async with httpx.AsyncClient(timeout=5) as client:
        tasks = [asyncio.create_task(_go_on(client, url, each)) for url in processors for each in watched]
        try:
            yield watched
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _go_on(client: httpx.AsyncClient, processor: str, watched: TokenInUse) -> None:
    while True:
        sent = clock.monotonic()
        status, retry_after = NO_ANSWER, None
        try:
            response = await client.get(processor + ROUTE, headers={"authorization": f"Bearer {watched.token}"})
            status, retry_after = response.status_code, response.headers.get("retry-after")
        except httpx.TransportError:
            pass  # the instance is gone or comes back: no answer is no acceptance
        watched.uses.append(Use(sent, processor, status, retry_after, clock.monotonic() - sent))
        await asyncio.sleep(PAUSE_SECONDS)
