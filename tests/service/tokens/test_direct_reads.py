"""The durable truth, read from DynamoDB on the wire; and from one that hangs, refuses or answers by halves."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from shared import clock
from shared.clients.aws_types import DynamoDBClient
from shared.errors import Unavailable
from shared.testing.aws_emulator import AwsEmulator
from shared.tokens.direct_reads import MAX_BATCHES_AT_ONCE, MAX_WAITING, DirectReads
from shared.tokens.revocation import Revocation, Target
from shared.tokens.revocation_keys import TABLE, to_row
from tests.service.tokens.backends import dynamodb_at, hung, reading
from tests.service.tokens.canned_server import CannedServer
from tests.support.waiting import eventually

NOW = int(clock.now())
PATIENT_SECONDS = 5.0


def revocation(value: str) -> Revocation:
    return Revocation(Target("sid", value), NOW, NOW + 86_400)


@pytest.fixture
async def direct(dynamodb: DynamoDBClient, table: str) -> AsyncIterator[DirectReads]:
    async with reading(dynamodb, table, PATIENT_SECONDS) as reads:
        yield reads


@pytest.fixture
def batches(dynamodb: DynamoDBClient) -> list[int]:
    """How many keys each read asked for."""
    sizes: list[int] = []

    def count(params: dict[str, bytes], **_: object) -> None:
        [request] = json.loads(params["body"])["RequestItems"].values()
        assert request["ConsistentRead"] is True
        sizes.append(len(request["Keys"]))

    dynamodb.meta.events.register("before-call.dynamodb.BatchGetItem", count)
    return sizes


async def save(dynamodb: DynamoDBClient, table: str, *revocations: Revocation) -> None:
    for one in revocations:
        await dynamodb.put_item(TableName=table, Item=to_row(one, NOW * 1000))


async def test_the_revocations_of_each_target_are_read(
    direct: DirectReads, dynamodb: DynamoDBClient, table: str
) -> None:
    client = Revocation(Target("client", "ses_1"), NOW - 7, NOW + 60)
    await save(dynamodb, table, revocation("ses_1"), client)
    found = await direct.read([Target("sid", "ses_1"), Target("client", "ses_1"), Target("user", "ses_1")])
    assert sorted(found, key=str) == sorted([revocation("ses_1"), client], key=str)
    assert await direct.read([Target("sid", "ses_2")]) == []


async def test_lookups_at_the_same_time_share_reads(
    direct: DirectReads, dynamodb: DynamoDBClient, table: str, batches: list[int]
) -> None:
    await save(dynamodb, table, revocation("ses_7"))
    lookups = [direct.read([Target("sid", f"ses_{number % 150}"), Target("user", "usr_1")]) for number in range(300)]
    answers = await asyncio.gather(*lookups)
    assert [index for index, found in enumerate(answers) if found] == [7, 157]
    assert len(batches) < 12
    assert max(batches) <= 100


async def test_a_lookup_never_gets_an_answer_that_was_read_before_it_asked(
    direct: DirectReads, batches: list[int]
) -> None:
    first = asyncio.create_task(direct.read([Target("sid", "ses_1")]))
    await asyncio.sleep(0)
    second = asyncio.create_task(direct.read([Target("sid", "ses_1")]))
    await asyncio.gather(first, second)
    assert len(batches) == 2


async def test_no_more_reads_than_a_few_run_at_once() -> None:
    async with CannedServer(b"{}", status=500) as slow, dynamodb_at(slow.url) as client:
        slow.delay_seconds = 0.3
        async with reading(client, TABLE, 0.2) as direct:
            lookups = (direct.read([Target("sid", str(number))]) for number in range(50))
            results = await asyncio.gather(*lookups, return_exceptions=True)
    assert {type(result) for result in results} == {Unavailable}
    assert slow.requests <= MAX_BATCHES_AT_ONCE


async def test_a_dynamodb_that_hangs_is_not_waited_for(
    direct: DirectReads, aws_emulator: AwsEmulator, dynamodb: DynamoDBClient, table: str
) -> None:
    await save(dynamodb, table, revocation("ses_1"))
    with hung(aws_emulator):
        started = clock.monotonic()
        async with reading(dynamodb, table, 0.1) as impatient:
            lookups = (impatient.read([Target("sid", f"ses_{number}")]) for number in range(200))
            results = await asyncio.gather(*lookups, return_exceptions=True)
    assert {type(result) for result in results} == {Unavailable}
    assert clock.monotonic() - started < 1
    assert await direct.read([Target("sid", "ses_1")]) == [revocation("ses_1")]


async def test_a_reader_that_failed_reads_on(dynamodb: DynamoDBClient, table: str, aws_emulator: AwsEmulator) -> None:
    async with reading(dynamodb, table, 0.3) as direct:
        with hung(aws_emulator):
            for _ in range(2):
                with pytest.raises(Unavailable):
                    await direct.read([Target("sid", "ses_1")])

        async def reads() -> bool:
            try:
                return await direct.read([Target("sid", "ses_1")]) == []
            except Unavailable:
                return False

        await eventually(reads)


async def test_a_crowd_is_turned_away_at_once() -> None:
    async with CannedServer(b"{}") as slow, dynamodb_at(slow.url) as client, reading(client, TABLE, 1.0) as direct:
        slow.delay_seconds = 60
        waiting = (direct.read([Target("sid", str(number))]) for number in range(MAX_WAITING + MAX_BATCHES_AT_ONCE))
        crowd = asyncio.gather(*waiting, return_exceptions=True)
        await asyncio.sleep(0)
        with pytest.raises(Unavailable):
            await asyncio.wait_for(direct.read([Target("sid", "one-more")]), 0.5)
        assert set(map(type, await crowd)) == {Unavailable}


async def test_who_leaves_is_not_read_for(direct: DirectReads, batches: list[int]) -> None:
    running = [asyncio.create_task(direct.read([Target("sid", str(number))])) for number in range(MAX_BATCHES_AT_ONCE)]
    leaving = asyncio.create_task(direct.read([Target("sid", "leaving")]))
    await asyncio.sleep(0)
    leaving.cancel()
    running[0].cancel()
    await asyncio.gather(*running[1:])
    await asyncio.sleep(0.1)
    assert batches == [1] * MAX_BATCHES_AT_ONCE


async def test_a_table_that_is_missing_is_unavailable(dynamodb: DynamoDBClient) -> None:
    async with reading(dynamodb, "no-such-table", PATIENT_SECONDS) as direct:
        with pytest.raises(Unavailable):
            await direct.read([Target("sid", "ses_1")])


async def test_half_an_answer_is_no_answer() -> None:
    row = to_row(revocation("ses_1"), NOW * 1000)
    left = {TABLE: {"Keys": [{"target": {"S": "sid#ses_2"}}]}}
    body = json.dumps({"Responses": {TABLE: [row]}, "UnprocessedKeys": left}).encode()
    async with (
        CannedServer(body) as halfway,
        dynamodb_at(halfway.url) as client,
        reading(client, TABLE, PATIENT_SECONDS) as direct,
    ):
        with pytest.raises(Unavailable):
            await direct.read([Target("sid", "ses_1"), Target("sid", "ses_2")])


async def test_a_reader_that_stops_reads_nothing_more() -> None:
    async with CannedServer(b"{}") as slow, dynamodb_at(slow.url) as client:
        slow.delay_seconds = 60
        async with reading(client, TABLE, 1.0) as direct:
            waiting = (direct.read([Target("sid", str(number))]) for number in range(20))
            crowd = asyncio.gather(*waiting, return_exceptions=True)
            await asyncio.sleep(0.1)
        assert not direct._batches
        assert set(map(type, await crowd)) == {Unavailable}
        assert not direct._batches
