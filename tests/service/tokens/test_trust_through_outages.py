"""A verifier with its real feed, keys and truth, while each of them fails: no revoked token in, no good token out."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from redis.asyncio import Redis

from shared import clock
from shared.clients.aws_types import DynamoDBClient
from shared.clients.http import open_http
from shared.errors import Unavailable
from shared.testing.aws_emulator import AwsEmulator
from shared.testing.tokens import TokenFactory
from shared.testing.valkey import Valkey
from shared.tokens.announcements import Announcements
from shared.tokens.claims import InvalidToken
from shared.tokens.jwks_key_source import JwksKeySource
from shared.tokens.revocation import Revocation, Target
from shared.tokens.revocation_feed import RevocationFeed
from shared.tokens.revocation_keys import to_row
from shared.tokens.revocation_status import RevocationStatus, RevocationUnknown
from shared.tokens.verifier import Verifier
from tests.service.tokens.backends import hung, reading
from tests.service.tokens.canned_server import CannedServer
from tests.support.waiting import eventually

MAX_STALENESS_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Trust:
    """Everything that stands behind one verifier."""

    verifier: Verifier
    feed: RevocationFeed
    keys: JwksKeySource
    tokens: TokenFactory
    announcements: Announcements
    dynamodb: DynamoDBClient
    table: str

    async def outcome(self, token: str) -> str:
        try:
            await self.verifier.verify(token)
        except InvalidToken as refusal:
            return refusal.reason
        except RevocationUnknown:
            return "unknown"
        except Unavailable:
            return "no keys"
        return "accepted"

    async def revoke(self, session_id: str, *, announce: bool = True) -> None:
        now = int(clock.now())
        revocation = Revocation(Target("sid", session_id), now, now + 1000)
        await self.dynamodb.put_item(TableName=self.table, Item=to_row(revocation, now * 1000))
        if announce:
            await self.announcements.announce(revocation)

    async def becomes(self, outcome: str, token: str) -> None:
        async def holds() -> bool:
            return await self.outcome(token) == outcome

        await eventually(holds)

    async def gets_fresh(self) -> None:
        async def fresh() -> bool:
            return self.feed.staleness(clock.monotonic()) < MAX_STALENESS_SECONDS / 2

        await eventually(fresh)

    async def gets_stale(self) -> None:
        async def stale() -> bool:
            return self.feed.staleness(clock.monotonic()) > MAX_STALENESS_SECONDS

        await eventually(stale)


@pytest.fixture
async def auth() -> AsyncIterator[CannedServer]:
    async with CannedServer() as server:
        yield server


@pytest.fixture
async def trust(
    auth: CannedServer, own_valkey: Valkey, own_redis: Redis, dynamodb: DynamoDBClient, table: str
) -> AsyncIterator[Trust]:
    tokens = TokenFactory(alg="ES256")
    auth.body = json.dumps(tokens.jwks()).encode()
    announcements = Announcements(own_redis)
    await announcements.rebuild([])
    feed = RevocationFeed(own_valkey.url)
    async with open_http() as http, reading(dynamodb, table, 0.5) as direct:
        keys = JwksKeySource(http, auth.url)
        status = RevocationStatus(feed, direct, max_staleness_seconds=MAX_STALENESS_SECONDS)
        verifier = Verifier(keys, status, tokens.policy)
        whole = Trust(verifier, feed, keys, tokens, announcements, dynamodb, table)
        keys.start()
        feed.start()
        await whole.becomes("accepted", tokens.mint())
        await whole.gets_fresh()
        yield whole
        await feed.stop()
        await keys.stop()


async def test_a_revoked_session_is_refused_and_others_go_on(trust: Trust) -> None:
    revoked, other = trust.tokens.mint(sid="ses_1"), trust.tokens.mint(sid="ses_2")
    assert await trust.outcome(revoked) == "accepted"
    await trust.revoke("ses_1")
    await trust.becomes("revoked", revoked)
    assert await trust.outcome(other) == "accepted"


@pytest.mark.parametrize("outage", ["killed", "flushed"])
async def test_without_redis_the_truth_decides(trust: Trust, own_valkey: Valkey, outage: str) -> None:
    revoked, other = trust.tokens.mint(sid="ses_1"), trust.tokens.mint(sid="ses_2")
    assert await trust.outcome(revoked) == "accepted"
    await {"killed": own_valkey.kill, "flushed": own_valkey.flush}[outage]()
    await trust.revoke("ses_1", announce=False)
    await trust.becomes("revoked", revoked)
    assert await trust.outcome(other) == "accepted"


async def test_while_redis_hangs_the_truth_decides(trust: Trust, own_valkey: Valkey) -> None:
    revoked, other = trust.tokens.mint(sid="ses_1"), trust.tokens.mint(sid="ses_2")
    with hung(own_valkey):
        await trust.revoke("ses_1", announce=False)
        await trust.becomes("revoked", revoked)
        assert await trust.outcome(other) == "accepted"


async def test_without_redis_and_truth_nothing_is_known_and_nothing_refused(
    trust: Trust, own_valkey: Valkey, aws_emulator: AwsEmulator
) -> None:
    revoked, other = trust.tokens.mint(sid="ses_1"), trust.tokens.mint(sid="ses_2")
    await trust.revoke("ses_1")
    await trust.becomes("revoked", revoked)
    with hung(own_valkey, aws_emulator):
        await trust.gets_stale()
        assert await trust.outcome(other) == "unknown"
        assert await trust.outcome(revoked) == "revoked"
    await trust.becomes("accepted", other)


async def test_while_dynamodb_hangs_the_feed_decides(trust: Trust, aws_emulator: AwsEmulator) -> None:
    token = trust.tokens.mint(sid="ses_1")
    await trust.revoke("ses_2")
    with hung(aws_emulator):
        assert await trust.outcome(token) == "accepted"
        await trust.becomes("revoked", trust.tokens.mint(sid="ses_2"))


async def test_a_redis_that_was_filled_again_is_believed_again(
    trust: Trust, own_valkey: Valkey, aws_emulator: AwsEmulator
) -> None:
    token = trust.tokens.mint(sid="ses_1")
    await own_valkey.flush()
    await trust.gets_stale()
    await trust.announcements.rebuild([])
    with hung(aws_emulator):
        await trust.becomes("accepted", token)


async def test_without_auth_tokens_are_verified_and_new_keys_are_not_judged(trust: Trust, auth: CannedServer) -> None:
    stranger = TokenFactory(alg="ES256")
    await auth.stop()
    assert await trust.outcome(trust.tokens.mint()) == "accepted"
    assert await trust.outcome(stranger.mint()) == "no keys"
    await auth.start()
    await trust.becomes("unknown-key", stranger.mint())


async def test_a_rotated_key_is_taken_up_by_its_first_token(trust: Trust, auth: CannedServer) -> None:
    rotated = TokenFactory(alg="RS256")
    auth.body = json.dumps({"keys": [*trust.tokens.jwks()["keys"], *rotated.jwks()["keys"]]}).encode()
    assert await trust.outcome(rotated.mint()) == "accepted"
    assert await trust.outcome(trust.tokens.mint()) == "accepted"
