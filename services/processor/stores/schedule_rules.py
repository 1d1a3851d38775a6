"""The rules by which EventBridge runs pipelines: one for each pipeline that has a schedule, on the default bus.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from botocore.exceptions import ClientError

from services.processor.domain.fingerprint import canonical_json, fingerprint
from services.processor.domain.trigger_events import schedule_template
from services.processor.stores.work_queue import QueueUrl
from shared.clients.aws import aws_errors, error_code
from shared.clients.aws_types import EventsClient, SQSClient
from shared.errors import Unavailable

RULE_PREFIX = "mayfly-"
_TARGET = "mayfly"
_ID_CHARACTERS = 40


class ScheduleRules:
    """Whose messages come to the queue of this name."""

    def __init__(self, events: EventsClient, sqs: SQSClient, queue_name: str) -> None:
        self._events = events
        self._sqs = sqs
        self._queue_name = queue_name
        self._queue_url = QueueUrl(sqs, queue_name)
        self._queue_arn: str | None = None

    async def put(self, owner: str, pipeline: str, expression: str) -> None:
        """Run it by this from now on. Again, this changes nothing.

        Raises:
            Unavailable: EventBridge or SQS does not answer, or EventBridge refuses the rule and says why.
        """
        rule, arn = self._name(owner, pipeline), await self._arn()
        transformer = {"InputPathsMap": {"time": "$.time"}, "InputTemplate": schedule_template(owner, pipeline)}
        async with _refusals():
            await self._events.put_rule(Name=rule, ScheduleExpression=expression, State="ENABLED")
            await self._events.put_targets(
                Rule=rule, Targets=[{"Id": _TARGET, "Arn": arn, "InputTransformer": transformer}]
            )

    async def remove(self, owner: str, pipeline: str) -> None:
        """Run it no longer. That there is no such rule is as good.

        Raises:
            Unavailable: as `put`.
        """
        rule = self._name(owner, pipeline)
        async with _refusals():
            try:
                await self._events.remove_targets(Rule=rule, Ids=[_TARGET])
            except ClientError as error:
                if error_code(error) != "ResourceNotFoundException":
                    raise
                return
            await self._events.delete_rule(Name=rule)

    def _name(self, owner: str, pipeline: str) -> str:
        text = canonical_json([self._queue_name, owner, pipeline])
        return RULE_PREFIX + fingerprint(text)[:_ID_CHARACTERS]

    async def _arn(self) -> str:
        if self._queue_arn is None:
            url = await self._queue_url.get()
            with aws_errors("SQS"):
                found = await self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
            self._queue_arn = found["Attributes"]["QueueArn"]
        return self._queue_arn


@asynccontextmanager
async def _refusals() -> AsyncIterator[None]:
    try:
        with aws_errors("EventBridge"):
            yield
    except ClientError as error:
        raise Unavailable(f"EventBridge refuses the schedule: {error}") from error
