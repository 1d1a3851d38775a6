"""Tells every verifier of a revocation that is durable, and goes on trying when Redis does not answer."""

import asyncio
from collections.abc import Iterable, Sequence

from prometheus_client import Counter, Gauge

from services.auth.domain.problems import NotAnnounced
from shared.background import end
from shared.clients.redis import redis_errors
from shared.errors import Unavailable
from shared.telemetry.logs import get_logger
from shared.tokens.announcements import Announcements, RebuildInterrupted
from shared.tokens.revocation import Revocation, RevokedSet

ANNOUNCED = Counter("mayfly_revocations_announced", "Revocations that verifiers were told.", ["kind"])
WAITING = Gauge("mayfly_revocations_waiting", "Revocations that are durable, but not announced yet.")

_MOST_WAITING = 10_000
_RETRY_SECONDS = 0.5

log = get_logger(__name__)


class Announcer:
    """`revoked` is what this process knows itself: it need not hear from Redis what it has done."""

    def __init__(self, announcements: Announcements, revoked: RevokedSet) -> None:
        self._announcements = announcements
        self._revoked = revoked
        self._waiting: asyncio.Queue[Revocation] = asyncio.Queue(_MOST_WAITING)
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to repeat what could not be announced."""
        self._task = asyncio.create_task(self._repeat())

    async def stop(self) -> None:
        if self._task is not None:
            await end(self._task)
        if self._waiting.qsize():
            log.error("revocations_not_announced_at_stop", count=self._waiting.qsize())

    async def announce(self, revocation: Revocation) -> str:
        """The receipt: the id in the stream; whoever has read up to it knows.

        Raises:
            NotAnnounced: Redis did not take it. It will be tried again and again.
        """
        self._revoked.add(revocation)
        try:
            return await self._announce(revocation)
        except Unavailable as error:
            # The cause is enough: a trace of each, while Redis is down, would bury everything else.
            log.error("revocation_not_announced", kind=revocation.target.kind, cause=repr(error.__cause__))  # noqa: TRY400 - as said
            self._keep(revocation)
            raise NotAnnounced from error

    async def announce_all(self, revocations: Sequence[Revocation]) -> None:
        """Tell of many, in few exchanges with Redis.

        Raises:
            Unavailable: Redis did not take them all. Whoever compares again finds the rest; nobody else repeats it.
        """
        for revocation in revocations:
            self._revoked.add(revocation)
        await self._announcements.announce_all(revocations)
        for revocation in revocations:
            ANNOUNCED.labels(revocation.target.kind).inc()

    async def fill(self, revocations: Iterable[Revocation]) -> None:
        """Make Redis whole; `revocations` were read from the durable truth after it was seen not to be.

        Raises:
            Unavailable: it is not whole yet; do it again.
        """
        try:
            with redis_errors():
                await self._announcements.rebuild(revocations)
        except RebuildInterrupted as error:
            raise Unavailable("Redis lost data while it was filled.") from error

    async def _announce(self, revocation: Revocation) -> str:
        with redis_errors():
            receipt = await self._announcements.announce(revocation)
        ANNOUNCED.labels(revocation.target.kind).inc()
        return receipt

    def _keep(self, revocation: Revocation) -> None:
        try:
            self._waiting.put_nowait(revocation)
        except asyncio.QueueFull:
            log.critical("revocation_announcement_dropped", kind=revocation.target.kind, waiting=_MOST_WAITING)
        WAITING.set(self._waiting.qsize())

    async def _repeat(self) -> None:
        while True:
            revocation = await self._waiting.get()
            if await self._was_announced(revocation):
                log.info("revocation_announced_late", kind=revocation.target.kind)
            else:
                self._keep(revocation)
                await asyncio.sleep(_RETRY_SECONDS)
            WAITING.set(self._waiting.qsize())

    async def _was_announced(self, revocation: Revocation) -> bool:
        try:
            await self._announce(revocation)
        except Unavailable:
            return False
        return True
