"""A worker looks after the open jobs whose messages may be lost."""

from dataclasses import dataclass

from prometheus_client import Counter, Gauge

from services.processor.domain.jobs import Job, OpenJob
from services.processor.domain.messages import WorkMessage
from services.processor.domain.outcomes import JobState
from services.processor.domain.parts_to_ask import missing_parts
from services.processor.domain.progress import next_sweep_ms
from services.processor.settings import ProcessorSettings
from services.processor.stores.job_keys import OPEN_SHARDS
from services.processor.stores.jobs import Jobs
from services.processor.stores.parts import Parts
from services.processor.stores.work_queue import WorkQueue
from shared import clock
from shared.telemetry.logs import get_logger

SENT_AGAIN = Counter("mayfly_messages_sent_again_total", "Messages that the sweeper had to send.")
QUEUE = Gauge("mayfly_queue_messages", "Messages that wait, are taken, or lie in the dead-letter queue.", ["state"])
_MOST_IN_SHARD = 100
log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class SweepJobs:
    jobs: Jobs
    parts: Parts
    queue: WorkQueue
    settings: ProcessorSettings
    now: clock.Clock

    async def __call__(self) -> int:
        """Send again what nobody works on, of each job that is due; the number of messages. Doubles do no harm.

        The queue is measured by the way.

        Raises:
            Unavailable: DynamoDB or SQS does not answer; what was not done is due at the next time.
        """
        sent = 0
        for shard in OPEN_SHARDS:
            for open_job in await self.jobs.due(shard, now_ms=self._now_ms(), limit=_MOST_IN_SHARD):
                sent += await self._look_after(open_job)
        depth = await self.queue.depth()
        for state, messages in (("waiting", depth.waiting), ("taken", depth.taken), ("dead", depth.dead)):
            QUEUE.labels(state).set(messages)
        return sent

    async def _look_after(self, open_job: OpenJob) -> int:
        least_ms = round(self.settings.sweep_after_seconds * 1000)
        until_ms = next_sweep_ms(open_job.submitted_at_ms, now_ms=self._now_ms(), least_ms=least_ms)
        job = await self.jobs.postpone(open_job, until_ms=until_ms)
        messages = [] if job is None else await self._missing(job)
        if messages:
            await self.queue.send_all(messages)
            SENT_AGAIN.inc(len(messages))
            key = open_job.key
            log.warning("messages_sent_again", job_id=key.processing_id, caller=key.owner, messages=len(messages))
        return len(messages)

    async def _missing(self, job: Job) -> list[WorkMessage]:
        now_ms = self._now_ms()
        if job.state is JobState.ACCEPTED:
            return [] if job.lease.is_held(now_ms) else [WorkMessage(job.key, None, job.traceparent)]
        missing = missing_parts(job, await self.parts.all_of(job.key), now_ms=now_ms)
        return [WorkMessage(job.key, part, job.traceparent) for part in missing]

    def _now_ms(self) -> int:
        return round(self.now() * 1000)
