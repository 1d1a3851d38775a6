"""The queue of work (SQS, standard): at least once, in no order. What it loses, the sweeper sends again.

Each method raises `Unavailable` when SQS does not answer.
"""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass

from botocore.exceptions import ClientError

from services.processor.domain.messages import WorkMessage
from shared.clients.aws import aws_errors, error_code
from shared.clients.aws_types import SQSClient
from shared.errors import Unavailable

MOST_IN_BATCH = 10
_GONE = {"InvalidParameterValue", "MessageNotInflight", "ReceiptHandleIsInvalid"}
_SECONDS_MOST = 43_200


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message as SQS has handed it out. `receives` counts from 1; `sent_at_ms` is when it was sent first."""

    raw_body: str
    receipt: str
    receives: int
    sent_at_ms: int


@dataclass(frozen=True, slots=True)
class QueueDepth:
    """About how many messages wait to be taken, are taken and hidden meanwhile, and lie in the dead-letter queue."""

    waiting: int
    taken: int
    dead: int


class QueueUrl:
    """A queue's address, asked for when it is needed first, so that a service starts while SQS does not answer."""

    def __init__(self, sqs: SQSClient, name: str) -> None:
        self._sqs = sqs
        self._name = name
        self._url: str | None = None

    async def get(self) -> str:
        """Raises Unavailable also when there is no such queue: the bootstrap has not run yet."""
        if self._url is None:
            try:
                with aws_errors("SQS"):
                    self._url = (await self._sqs.get_queue_url(QueueName=self._name))["QueueUrl"]
            except ClientError as error:
                raise Unavailable(f"The queue {self._name} can't be found.") from error
        return self._url


@dataclass(frozen=True, slots=True)
class WorkQueue:
    sqs: SQSClient
    url: QueueUrl
    dead_letter_url: QueueUrl

    async def send(self, message: WorkMessage) -> None:
        with aws_errors("SQS"):
            await self.sqs.send_message(QueueUrl=await self.url.get(), MessageBody=message.body)

    async def send_all(self, messages: Sequence[WorkMessage]) -> None:
        """Send them, ten a call. What SQS refuses of a batch is left to the sweeper."""
        for start in range(0, len(messages), MOST_IN_BATCH):
            batch = messages[start : start + MOST_IN_BATCH]
            with aws_errors("SQS"):
                await self.sqs.send_message_batch(
                    QueueUrl=await self.url.get(),
                    Entries=[{"Id": str(i), "MessageBody": message.body} for i, message in enumerate(batch)],
                )

    async def receive(self, *, most: int, wait_seconds: int, visibility_seconds: float) -> Sequence[Delivery]:
        """Up to `most` messages (10 at most); waits up to `wait_seconds` for the first."""
        with aws_errors("SQS"):
            answer = await self.sqs.receive_message(
                QueueUrl=await self.url.get(),
                MaxNumberOfMessages=min(most, MOST_IN_BATCH),
                WaitTimeSeconds=wait_seconds,
                VisibilityTimeout=_whole(visibility_seconds),
                AttributeNames=["ApproximateReceiveCount", "SentTimestamp"],
            )
        return [
            Delivery(
                found["Body"],
                found["ReceiptHandle"],
                int(found["Attributes"]["ApproximateReceiveCount"]),
                int(found["Attributes"]["SentTimestamp"]),
            )
            for found in answer.get("Messages", [])
        ]

    async def done(self, delivery: Delivery) -> None:
        """The work that it asked for is durable: it need not come again."""
        await self._unless_gone(self.sqs.delete_message(QueueUrl=await self.url.get(), ReceiptHandle=delivery.receipt))

    async def hide(self, delivery: Delivery, *, seconds: float) -> None:
        """Let it come again only after so long (0: at once). A message that came again meanwhile is left alone."""
        await self._unless_gone(
            self.sqs.change_message_visibility(
                QueueUrl=await self.url.get(), ReceiptHandle=delivery.receipt, VisibilityTimeout=_whole(seconds)
            )
        )

    async def bury(self, delivery: Delivery, *, reason: str) -> None:
        """Move it to the dead-letter queue, with the reason, and never hand it out again."""
        with aws_errors("SQS"):
            await self.sqs.send_message(
                QueueUrl=await self.dead_letter_url.get(),
                MessageBody=delivery.raw_body,
                MessageAttributes={"reason": {"DataType": "String", "StringValue": reason[:1000]}},
            )
        await self.done(delivery)

    async def depth(self) -> QueueDepth:
        waiting, taken = await self._count(await self.url.get())
        dead, _ = await self._count(await self.dead_letter_url.get())
        return QueueDepth(waiting, taken, dead)

    async def _count(self, url: str) -> tuple[int, int]:
        with aws_errors("SQS"):
            answer = await self.sqs.get_queue_attributes(
                QueueUrl=url,
                AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
            )
        counts = answer["Attributes"]
        return (
            int(counts["ApproximateNumberOfMessages"]),
            int(counts["ApproximateNumberOfMessagesNotVisible"]),
        )

    async def waiting(self) -> int:
        """About how many messages wait to be taken."""
        return (await self._count(await self.url.get()))[0]

    @staticmethod
    async def _unless_gone(call: Awaitable[object]) -> None:
        try:
            with aws_errors("SQS"):
                await call
        except ClientError as error:
            if error_code(error).rpartition(".")[2] not in _GONE:
                raise


def _whole(seconds: float) -> int:
    """SQS counts in whole seconds; rounded up, so that a message does not come back while its lease is held."""
    return min(_SECONDS_MOST, max(0, -int(-seconds // 1)))
