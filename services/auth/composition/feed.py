"""Looking after the feed of revocations for as long as the process lives, and the clock that all auths share."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.auth.composition.parts import Backends
from services.auth.flows.keep_feed import KeepFeed, Seen
from services.auth.settings import AuthSettings
from services.auth.stores.revocation_log import RevocationLog
from shared import clock
from shared.background import end
from shared.clock import Clock
from shared.errors import Unavailable
from shared.telemetry.logs import get_logger
from shared.tokens.revocation_feed import RevocationFeed
from shared.tokens.vouching import Vouching

_LONGEST_LOOK_SECONDS = 1
_SHORTEST_PAUSE_SECONDS = 0.05
log = get_logger(__name__)


@asynccontextmanager
async def keeping_feed(settings: AuthSettings, backends: Backends) -> AsyncIterator[None]:
    """Within: the feed is looked after. Every auth does it; there is no leader that could be missing."""
    # Four looks within the bound: one may be slow and one may fail before verifiers must read the truth themselves.
    every_seconds = min(_LONGEST_LOOK_SECONDS, settings.revocation_max_staleness_seconds / 4)
    keep = KeepFeed(
        backends.revocations,
        RevocationLog(backends.dynamodb, settings.table_prefix, patience_seconds=every_seconds),
        backends.announcer,
        Vouching(backends.redis),
        clock.now,
    )
    task = asyncio.create_task(_look_after_feed(keep, every_seconds))
    try:
        yield
    finally:
        await end(task)


def fleet_clock(settings: AuthSettings, feed: RevocationFeed) -> Clock:
    """The clock of the auth that is ahead of all, within half of what verifiers put up with.

    So the second of a revocation here is not before that of a token which another auth has issued already.
    """
    most = settings.clock_skew_seconds / 2  # the other half is for the clocks of the verifiers
    return lambda: clock.now() + min(feed.clock_lead(), most)


async def _look_after_feed(keep: KeepFeed, every_seconds: float) -> None:
    seen, failure = Seen(), ""
    while True:
        began = clock.monotonic()
        try:
            seen = await keep(seen)
        except Exception as error:
            seen = seen.begin_anew()
            if repr(error) != failure:  # each is told once: in an outage every look fails
                log.warning(
                    "revocation_feed_not_looked_after", error=repr(error), exc_info=not isinstance(error, Unavailable)
                )
            failure = repr(error)
        else:
            if failure:
                log.info("revocation_feed_looked_after_again")
            failure = ""
        await asyncio.sleep(max(_SHORTEST_PAUSE_SECONDS, began + every_seconds - clock.monotonic()))
