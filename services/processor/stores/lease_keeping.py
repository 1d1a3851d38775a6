"""Signs of life: while a worker is at it, its lease and its message are renewed."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from prometheus_client import Counter

from services.processor.domain.job_names import JobKey
from services.processor.stores.jobs import Jobs
from services.processor.stores.parts import LeaseLost, Leases
from services.processor.stores.work_queue import Delivery, WorkQueue
from shared import clock
from shared.errors import Problem, Unavailable
from shared.telemetry.logs import get_logger

TAKEOVERS = Counter("mayfly_lease_takeovers_total", "Work that was begun again because its lease ran out.", ["kind"])
_BEATS_IN_LEASE = 3
Result = TypeVar("Result")
log = get_logger(__name__)


class JobIsOver(Exception):  # noqa: N818 - it states the fact
    """The job was cancelled, or another part has failed it: what is done for it counts for nothing."""


@dataclass(frozen=True, slots=True)
class Holding:
    """A lease that we have: on a part, or (part None) on the planning; and the message that it came by."""

    key: JobKey
    part: int | None
    fence: int
    delivery: Delivery


@dataclass(frozen=True, slots=True)
class LeaseKeeping:
    leases: Leases
    jobs: Jobs
    queue: WorkQueue
    lease_seconds: float
    now: clock.Clock

    def until_ms(self) -> int:
        """The end of a lease that is given now."""
        return round((self.now() + self.lease_seconds) * 1000)

    async def during(self, holding: Holding, work: Coroutine[Any, Any, Result]) -> Result:
        """Do the work and keep the lease. A piece of work that ends early gives its lease back.

        Raises:
            LeaseLost, JobIsOver: somebody else has it, or nobody needs it; the work was stopped.
            Exception: whatever the work raises.
        """
        try:
            return await self._while_beating(holding, work)
        except (asyncio.CancelledError, Unavailable):
            await self._give_back(holding, counts=False)
            raise
        except (Problem, LeaseLost, JobIsOver):
            raise
        except Exception:
            await self._give_back(holding, counts=True)
            raise

    async def renew(self, holding: Holding) -> None:
        """Hold it for another while: asked before something is written that no fence guards.

        Raises:
            LeaseLost: somebody else has it.
            Unavailable: it is not known.
        """
        await self.leases.extend(holding.key, holding.part, fence=holding.fence, until_ms=self.until_ms())

    async def _while_beating(self, holding: Holding, work: Coroutine[Any, Any, Result]) -> Result:
        working = asyncio.ensure_future(work)
        beating = asyncio.create_task(self._beat(holding))
        try:
            await asyncio.wait({working, beating}, return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                beating.result()  # raises LeaseLost or JobIsOver: it ends in no other way
            return await working
        finally:
            for task in (working, beating):
                task.cancel()
            await asyncio.gather(working, beating, return_exceptions=True)

    async def _give_back(self, holding: Holding, *, counts: bool) -> None:
        """Let another worker begin at once; `counts`: this was one of the work's attempts."""
        try:
            await self.leases.give_back(holding.key, holding.part, fence=holding.fence, counts=counts)
        except (Unavailable, LeaseLost) as error:
            log.warning("lease_not_given_back", reason=repr(error))  # it runs out

    async def _beat(self, holding: Holding) -> None:
        while True:
            await asyncio.sleep(self.lease_seconds / _BEATS_IN_LEASE)
            try:
                await self.renew(holding)  # of a plan whose job has ended this is refused
                if holding.part is not None and await self.jobs.has_ended(holding.key):
                    raise JobIsOver
                await self.queue.hide(holding.delivery, seconds=self.lease_seconds)
            except Unavailable as error:
                # The fence keeps us honest, should the lease run out meanwhile.
                log.warning("lease_not_renewed", detail=error.detail)
