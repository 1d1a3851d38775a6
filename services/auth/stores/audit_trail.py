"""The audit trail: to the log at once, to DynamoDB by a task beside the requests. It delays and fails none of them."""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Any

from botocore.exceptions import ClientError
from prometheus_client import Counter, Gauge

from services.auth.domain.audit import AuditEntry, AuditEvent
from services.auth.stores.audit_rows import row_of
from services.auth.stores.tables import AUDIT
from shared.background import end
from shared.clients.aws import aws_errors
from shared.clients.aws_types import DynamoDBClient
from shared.errors import Unavailable
from shared.ids import new_id
from shared.telemetry.context import bound, current_trace
from shared.telemetry.logs import get_logger

EVENTS = Counter("mayfly_audit_events", "Security decisions that were written to the log.", ["event", "outcome"])
DROPPED = Counter("mayfly_audit_events_dropped", "Events that the log has and DynamoDB has not: too many waited.")
WAITING = Gauge("mayfly_audit_events_waiting", "Events that the log has, and that are not in DynamoDB yet.")

_MOST_WAITING = 10_000
_ROWS_A_CALL = 25  # https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html
_CALLS_AT_ONCE = 8
_GATHER_SECONDS = 0.1
_RETRY_SECONDS = 1.0
_DRAIN_SECONDS = 5.0
log = get_logger(__name__)


class AuditTrail:
    """While DynamoDB does not answer, events wait, up to a bound; then new ones are in the log alone, and counted."""

    def __init__(self, dynamodb: DynamoDBClient, table_prefix: str, *, keep_seconds: int) -> None:
        self._dynamodb = dynamodb
        self._table = table_prefix + AUDIT
        self._keep_seconds = keep_seconds
        self._entries: deque[AuditEntry] = deque()
        self._rows: list[dict[str, Any]] = []
        self._wanted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to store what is recorded."""
        self._task = asyncio.create_task(self._store())

    async def stop(self) -> None:
        """Returns when all is stored, or after some seconds: then the log has the rest, and says how much it is."""
        if self._task is not None:
            await end(self._task)
        try:
            async with asyncio.timeout(_DRAIN_SECONDS):
                while self._entries or self._rows:
                    await self._store_some()
                    await asyncio.sleep(0)
        except (Unavailable, ClientError, TimeoutError) as error:
            log.error("audit_events_not_stored_at_stop", count=len(self._entries), cause=repr(error))  # noqa: TRY400 - as said

    def record(self, event: AuditEvent, now: float) -> None:
        """In the log when this returns, in DynamoDB soon afterwards."""
        address, trace_id = bound("address"), current_trace().trace_id
        entry = AuditEntry(new_id("aud"), int(now * 1000), address, trace_id, event)
        _log(entry)
        EVENTS.labels(event.event, event.outcome).inc()
        if len(self._entries) >= _MOST_WAITING:
            DROPPED.inc()
            return
        self._entries.append(entry)
        WAITING.set(len(self._entries))
        self._wanted.set()

    async def _store(self) -> None:
        while True:
            await self._wanted.wait()
            await asyncio.sleep(_GATHER_SECONDS)
            try:
                await self._store_some()
            except Unavailable as error:
                log.warning("audit_trail_waits", detail=error.detail, events=len(self._entries))
                await asyncio.sleep(_RETRY_SECONDS)
            except Exception:
                log.exception("audit_trail_waits", events=len(self._entries))
                await asyncio.sleep(_RETRY_SECONDS)
            if not self._entries and not self._rows:
                self._wanted.clear()

    async def _store_some(self) -> None:
        """Some of those that wait; what DynamoDB does not take waits on. To store a row again changes nothing."""
        while self._entries and len(self._rows) < _ROWS_A_CALL * _CALLS_AT_ONCE:
            self._rows.append(row_of(self._entries.popleft(), self._keep_seconds))
        starts = range(0, len(self._rows), _ROWS_A_CALL)
        calls = [self._rows[start : start + _ROWS_A_CALL] for start in starts]
        answers = await asyncio.gather(*map(self._write, calls), return_exceptions=True)
        errors = [answer for answer in answers if isinstance(answer, BaseException)]
        left = [
            rows if isinstance(answer, BaseException) else answer for rows, answer in zip(calls, answers, strict=True)
        ]
        self._rows = [row for rows in left for row in rows]
        WAITING.set(len(self._entries))
        if errors:
            raise errors[0]

    async def _write(self, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Those that were not taken, because their partition has too much to do."""
        with aws_errors("DynamoDB"):
            answer = await self._dynamodb.batch_write_item(
                RequestItems={self._table: [{"PutRequest": {"Item": row}} for row in rows]}
            )
        unprocessed: Any = answer.get("UnprocessedItems", {}).get(self._table, [])
        return [request["PutRequest"]["Item"] for request in unprocessed]


def _log(entry: AuditEntry) -> None:
    event = entry.event
    told: dict[str, object] = {
        "actor": event.actor,
        "subject": event.subject,
        "client_id": event.client_id,
        "reason": event.reason,
    }
    write = log.info if event.outcome == "succeeded" else log.warning
    write(
        event.event,
        audit_id=entry.audit_id,
        outcome=event.outcome,
        **{name: value for name, value in told.items() if value is not None},
        **dict(event.details),
    )
