"""Whether something is revoked, and whether this process may rely on what it has heard of that."""

from collections.abc import Awaitable, Iterable, Sequence
from typing import Protocol

from shared import clock
from shared.errors import Unavailable
from shared.tokens.claims import Claims
from shared.tokens.revocation import Issued, Revocation, RevokedSet, Target, targets_of


class RevocationUnknown(Unavailable):
    """Whether a token was revoked can't be known now: nothing is heard of revocations, and the truth can't be read."""

    code = "revocation-unknown"


class Feed(Protocol):
    """What this process has heard of revocations."""

    @property
    def revoked(self) -> RevokedSet: ...

    def staleness(self, now_monotonic: float) -> float:
        """Seconds since which a revocation might have been missed; infinite before the first load."""
        ...


class DirectReader(Protocol):
    """Reads the durable truth, in a bounded time."""

    async def read(self, targets: Sequence[Target]) -> Iterable[Revocation]:
        """All revocations of these targets.

        Raises:
            Unavailable: no answer in time.
        """
        ...


class RevocationStatus:
    """Decides whether a token is revoked: out of memory while that is fresh, else by reading the truth.

    So no revoked token is accepted later than `max_staleness_seconds` after its revocation was announced.
    """

    def __init__(
        self,
        feed: Feed,
        direct: DirectReader,
        *,
        max_staleness_seconds: float,
        monotonic: clock.Clock = clock.monotonic,
    ) -> None:
        self._feed = feed
        self._direct = direct
        self._max_staleness_seconds = max_staleness_seconds
        self._monotonic = monotonic

    def is_revoked(self, claims: Claims) -> bool | Awaitable[bool]:
        """Told at once while the feed is fresh. What is known to be revoked stays so however stale the feed is.

        Raises:
            RevocationUnknown: to whoever awaits the answer: the feed is stale and the truth does not answer.
        """
        if self._feed.revoked.is_revoked(claims):
            return True
        if self._is_fresh():
            return False
        return self._read(claims)

    async def ends_any(self, issued: Sequence[Issued]) -> bool:
        """Whether any of these was ended: the same question about what outlives the token that it came from.

        Raises:
            RevocationUnknown: the feed is stale and the truth does not answer.
        """
        if any(map(self._feed.revoked.ends, issued)):
            return True
        if self._is_fresh():
            return False
        await self._learn([each.target for each in issued])
        return any(map(self._feed.revoked.ends, issued))

    def _is_fresh(self) -> bool:
        return self._feed.staleness(self._monotonic()) <= self._max_staleness_seconds

    async def _read(self, claims: Claims) -> bool:
        await self._learn(targets_of(claims))
        return self._feed.revoked.is_revoked(claims)

    async def _learn(self, targets: Sequence[Target]) -> None:
        try:
            found = await self._direct.read(targets)
        except Unavailable as error:
            raise RevocationUnknown("Whether the access token was revoked can't be checked now. Ask again.") from error
        for revocation in found:
            self._feed.revoked.add(revocation)
