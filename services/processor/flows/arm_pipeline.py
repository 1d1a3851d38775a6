"""A pipeline runs by itself for as long as nothing of who stored it is revoked."""

from dataclasses import dataclass

from services.processor.domain.contexts import ContextIssuer, ContextRefused, Requester
from services.processor.domain.job_contexts import CallerRevoked
from services.processor.domain.stored_pipelines import StoredPipeline
from services.processor.domain.work_errors import WaitedTooLong
from services.processor.stores.job_callers import JobCallers
from services.processor.stores.stored_pipelines import StoredPipelines
from shared import clock
from shared.telemetry.logs import get_logger
from shared.tokens.claims import MAX_LIFETIME_SECONDS

_FIRST_LOOK_SECONDS = 60  # whoever stored it may have died before its schedule was made
_RENEWED_AFTER_SECONDS = MAX_LIFETIME_SECONDS / 4
log = get_logger(__name__)


class Disarmed(Exception):  # noqa: N818 - it states the fact
    """It does not run by itself any more, until it is stored again."""


@dataclass(frozen=True, slots=True)
class ArmPipeline:
    """Its context lives for a day, because revocations are surely known for so long, and is made anew before."""

    pipelines: StoredPipelines
    contexts: ContextIssuer
    callers: JobCallers
    now: clock.Clock

    def sign(self, pipeline: StoredPipeline, requester: Requester) -> str:
        """Its context of this moment; none where nothing triggers it."""
        if not pipeline.triggers:
            return ""
        now = int(self.now())
        return self.contexts.sign(pipeline.subject, requester, now, lifetime_seconds=MAX_LIFETIME_SECONDS)

    @property
    def first_look_ms(self) -> int:
        return round((self.now() + _FIRST_LOOK_SECONDS) * 1000)

    async def requester_of(self, pipeline: StoredPipeline) -> Requester:
        """Who stored it, and was not revoked since.

        Raises:
            Disarmed: nobody, or who was revoked.
            RevocationUnknown, Unavailable: this can't be known now.
        """
        try:
            return await self.callers.check(pipeline)
        except (ContextRefused, WaitedTooLong, CallerRevoked) as problem:
            await self.pipelines.disarm(pipeline)
            log.warning("pipeline_disarmed", caller=pipeline.owner, pipeline=pipeline.name, reason=problem.code)
            raise Disarmed from problem

    async def renew(self, pipeline: StoredPipeline, requester: Requester, *, look_soon: bool) -> None:
        """For another day; it is looked after before that is over, or soon."""
        look_ms = self.first_look_ms if look_soon else round((self.now() + _RENEWED_AFTER_SECONDS) * 1000)
        await self.pipelines.arm(pipeline, self.sign(pipeline, requester), look_at_ms=look_ms)
