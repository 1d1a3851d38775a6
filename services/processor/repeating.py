"""What a processor or a worker does now and then, beside its requests and messages."""

import asyncio
import random
from collections.abc import Awaitable, Callable

from shared.errors import Unavailable
from shared.telemetry.logs import get_logger

_PAUSE_AFTER_FAILURE_SECONDS = 5
log = get_logger(__name__)


async def repeat(what: str, flow: Callable[[], Awaitable[object]], interval_seconds: float) -> None:
    """Now and then, and not in step with the other instances. What fails is done the next time, a little later."""
    pause = interval_seconds
    while True:
        await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
        try:
            await flow()
            pause = interval_seconds
        except Unavailable as error:
            log.warning("put_off", what=what, detail=error.detail)
            pause = max(interval_seconds, _PAUSE_AFTER_FAILURE_SECONDS)
        except Exception:
            log.exception("failed", what=what)
            pause = max(interval_seconds, _PAUSE_AFTER_FAILURE_SECONDS)
