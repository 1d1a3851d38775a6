"""Revocations read from DynamoDB itself, for the time in which nothing is heard of them."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from shared.background import end
from shared.clients.aws_types import DynamoDBClient
from shared.errors import Unavailable
from shared.telemetry.logs import get_logger
from shared.tokens.revocation import Revocation, Target
from shared.tokens.revocation_keys import from_row, row_key

MAX_KEYS_IN_BATCH = 100  # https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
MAX_BATCHES_AT_ONCE = 4
MAX_WAITING = 1000

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Lookup:
    keys: tuple[str, ...]
    answer: asyncio.Future[list[Revocation]]


class DirectReads:
    """Consistent reads of the table `revocations`. Lookups that come while others are under way share the next read.

    However many ask, at most `MAX_BATCHES_AT_ONCE` reads run, and nobody waits longer than `timeout_seconds`.
    `stop` it before the client is closed.
    """

    def __init__(self, dynamodb: DynamoDBClient, table: str, *, timeout_seconds: float) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._timeout_seconds = timeout_seconds
        self._waiting: list[_Lookup] = []
        self._batches: set[asyncio.Task[None]] = set()
        self._failing = False

    async def read(self, targets: Sequence[Target]) -> list[Revocation]:
        """All revocations of these targets (at most `MAX_KEYS_IN_BATCH`), as they stand now.

        Raises:
            Unavailable: no answer in time, or too many wait already.
        """
        if len(self._waiting) >= MAX_WAITING:
            raise _unavailable()
        lookup = _Lookup(tuple(map(row_key, targets)), asyncio.get_running_loop().create_future())
        self._waiting.append(lookup)
        self._start_batches()
        try:
            async with asyncio.timeout(self._timeout_seconds):
                return await lookup.answer
        except TimeoutError:
            raise _unavailable() from None

    async def stop(self) -> None:
        """End the reads under way; who still waits for them gets no answer."""
        self._waiting.clear()
        await end(*self._batches)

    def _start_batches(self) -> None:
        while self._waiting and len(self._batches) < MAX_BATCHES_AT_ONCE:
            lookups = self._take()
            if lookups:
                batch = asyncio.create_task(self._run(lookups))
                self._batches.add(batch)
                batch.add_done_callback(self._ended)

    def _take(self) -> list[_Lookup]:
        """The next lookups that fit into one read. A read only ever answers those who asked before it began."""
        taken: list[_Lookup] = []
        keys: set[str] = set()
        while self._waiting and len(keys.union(self._waiting[0].keys)) <= MAX_KEYS_IN_BATCH:
            lookup = self._waiting.pop(0)
            if not lookup.answer.done():
                taken.append(lookup)
                keys.update(lookup.keys)
        return taken

    def _ended(self, batch: asyncio.Task[None]) -> None:
        self._batches.discard(batch)
        self._start_batches()

    async def _run(self, lookups: list[_Lookup]) -> None:
        try:
            async with asyncio.timeout(self._timeout_seconds):
                found = await self._batch_get({key for lookup in lookups for key in lookup.keys})
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait must be told that nothing is known
            self._tell(failing=True, error=repr(error))
            for lookup in lookups:
                if not lookup.answer.done():
                    lookup.answer.set_exception(_unavailable())
            return
        self._tell(failing=False)
        for lookup in lookups:
            if not lookup.answer.done():
                lookup.answer.set_result([found[key] for key in lookup.keys if key in found])

    def _tell(self, *, failing: bool, error: str | None = None) -> None:
        """Log a change only: in an outage each request comes here."""
        if failing and not self._failing:
            log.warning("revocations_not_read", error=error)
        elif self._failing and not failing:
            log.info("revocations_read_again")
        self._failing = failing

    async def _batch_get(self, keys: set[str]) -> dict[str, Revocation]:
        response = await self._dynamodb.batch_get_item(
            RequestItems={self._table: {"Keys": [{"target": {"S": key}} for key in keys], "ConsistentRead": True}}
        )
        if response.get("UnprocessedKeys"):
            raise _unavailable()
        return {row["target"]["S"]: from_row(row) for row in response["Responses"][self._table]}


def _unavailable() -> Unavailable:
    return Unavailable("The revocations can't be read in time. Ask again.")
