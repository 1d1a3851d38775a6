"""The EventBridge bus to which it is told how jobs end."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from botocore.exceptions import ClientError

from services.processor.domain.job_events import SOURCE, JobEvent
from shared.clients.aws import aws_errors
from shared.clients.aws_types import EventsClient
from shared.errors import Unavailable

MOST_AT_ONCE = 10


@dataclass(frozen=True, slots=True)
class EventBus:
    events: EventsClient
    name: str
    bucket: str

    async def put(self, events: Sequence[JobEvent]) -> Sequence[JobEvent]:
        """Tell at most `MOST_AT_ONCE`; those that were taken.

        Raises:
            Unavailable: EventBridge does not answer, or refuses all of them; some may have been taken.
        """
        try:
            with aws_errors("EventBridge"):
                answer = await self.events.put_events(Entries=[self._entry(event) for event in events])
        except ClientError as error:
            raise Unavailable(f"EventBridge refuses our events: {error}") from error
        return [event for event, entry in zip(events, answer["Entries"], strict=True) if "EventId" in entry]

    def _entry(self, event: JobEvent) -> dict[str, object]:
        return {
            "EventBusName": self.name,
            "Source": SOURCE,
            "DetailType": event.detail_type,
            "Detail": event.detail(self.bucket),
            "Time": datetime.fromtimestamp(event.outcome.finished_at_ms / 1000, UTC),
        }
