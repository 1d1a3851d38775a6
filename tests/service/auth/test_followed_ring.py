"""What one process makes of the key ring while DynamoDB or SSM hangs, or has lost what it knew."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace

import pytest
from prometheus_client import REGISTRY

from services.auth.domain.key_ring import KeyRing, RingKey, RingTiming
from services.auth.stores.followed_ring import FollowedRing
from services.auth.stores.key_rings import KeyRings
from services.auth.stores.private_keys import PrivateKeys
from services.auth.stores.tables import KEY_RINGS
from shared import clock
from shared.clients.aws import open_dynamodb, open_ssm
from shared.errors import Unavailable
from shared.tokens.pem_keys import build_named_key, generate_pem
from shared.tokens.revocation import RevokedSet
from tests.service.auth.conftest import MakeSettings
from tests.service.auth.running import Auth, problem, running
from tests.service.auth.slow_link import SlowLink
from tests.support.waiting import eventually

HUNG_SECONDS = 60.0
AT_ONCE = RingTiming(0, 3, None, 900, 0)
OFTEN: dict[str, object] = {
    "signing_key": None,
    "key_poll_seconds": 0.1,
    "jwks_max_age_seconds": 0,
    "key_rotation_seconds": 0,
}


@dataclass
class CutOff:
    """An auth whose way to AWS a test may hang. Its view of the ring holds for three seconds."""

    auth: Auth
    link: SlowLink

    def hang(self) -> None:
        self.link.delay_seconds = HUNG_SECONDS

    def mend(self) -> None:
        self.link.delay_seconds = 0

    async def signs(self) -> bool:
        try:
            return bool(self.auth.resources.keys.active)
        except Unavailable:
            return False

    async def signs_no_more(self) -> bool:
        return not await self.signs()


@pytest.fixture
def ground(new_ground: str) -> str:
    """Its key ring is as old as the test."""
    return new_ground


@pytest.fixture
async def cut_off(make_settings: MakeSettings, aws_endpoint_url: str) -> AsyncIterator[CutOff]:
    async with SlowLink(aws_endpoint_url) as link, running(make_settings(**OFTEN, aws_endpoint_url=link.url)) as auth:
        await auth.until_it_signs()
        await auth.until_it_hears()
        yield CutOff(auth, link)
        link.delay_seconds = 0


async def test_while_the_ring_can_not_be_read_its_active_key_signs_on_for_a_while(cut_off: CutOff) -> None:
    token = (await cut_off.auth.login())["token"]
    assert (await cut_off.auth.client_token()).status_code == 200
    cut_off.hang()
    # Of the client there is a copy in memory, so nothing else is needed.
    assert (await cut_off.auth.client_token()).status_code == 200
    await eventually(cut_off.signs_no_more, timeout_seconds=10)
    assert (await cut_off.auth.http.get("/.well-known/jwks.json")).status_code == 200
    assert await cut_off.auth.accepts(token)
    ready = await cut_off.auth.http.get("/readyz")
    assert (ready.status_code, ready.json()["checks"]["keys"]["ok"]) == (503, False)
    response = await cut_off.auth.client_token()
    assert (response.status_code, response.json()["error"]) == (503, "temporarily_unavailable")
    cut_off.mend()
    assert (await cut_off.auth.client_token()).status_code == 200, "after a look at the ring"


async def test_a_kid_that_nobody_knows_is_not_judged_while_the_ring_can_not_be_read(
    cut_off: CutOff, make_settings: MakeSettings
) -> None:
    """It may be that of a key which another instance has made a moment ago."""
    async with running(make_settings()) as stranger:
        token = (await stranger.login())["token"]
    assert not await cut_off.auth.accepts(token)
    cut_off.hang()
    response = await cut_off.auth.get("/api/me", token)
    assert (response.status_code, problem(response)) == (503, "unavailable")
    assert response.headers["retry-after"] == "1"


async def test_issuing_reads_neither_the_ring_nor_a_key(cut_off: CutOff) -> None:
    def keys_read() -> float | None:
        labels = {"service": "ssm", "operation": "GetParameter"}
        return REGISTRY.get_sample_value("mayfly_aws_call_seconds_count", labels)

    assert (await cut_off.auth.client_token()).status_code == 200
    before = keys_read()
    for _ in range(20):
        assert (await cut_off.auth.client_token()).status_code == 200
    assert keys_read() == before


@dataclass
class Ring:
    """A ring that a test changes itself, and one who follows it, whose way to SSM the test may hang."""

    rings: KeyRings
    private_keys: PrivateKeys
    followed: FollowedRing
    ssm_link: SlowLink

    async def loaded(self) -> KeyRing:
        ring = await self.rings.load()
        assert ring is not None
        return ring

    async def rotate(self) -> str:
        """At once; the `kid` of the key that signs from now on."""
        ring, now = await self.loaded(), clock.now()
        rotated = ring.rotated(now, AT_ONCE)
        assert await self.rings.replace(rotated, now=now) is not None
        return rotated.active(clock.now()).kid

    async def add_next(self) -> None:
        pem, now = generate_pem("ES256"), clock.now()
        key = build_named_key(pem, "ES256")
        await self.private_keys.add(key.kid, pem)
        added = (await self.loaded()).with_next(RingKey(key.kid, "ES256", key.public_jwk, int(now * 1000), 900))
        assert await self.rings.replace(added, now=now) is not None

    async def until_signed_by(self, kid: str) -> None:
        async def signs() -> bool:
            return self.signer() == kid

        await eventually(signs, timeout_seconds=15)

    def signer(self) -> str | None:
        try:
            return self.followed.active.kid
        except Unavailable:
            return None


@pytest.fixture
async def ring(make_settings: MakeSettings, aws_endpoint_url: str) -> AsyncIterator[Ring]:
    settings = make_settings(**OFTEN)
    path = settings.effective_signing_keys_path
    assert path is not None
    async with SlowLink(aws_endpoint_url) as link, AsyncExitStack() as stack:
        dynamodb = await stack.enter_async_context(open_dynamodb(settings))
        direct = await stack.enter_async_context(open_ssm(settings))
        slow = await stack.enter_async_context(open_ssm(make_settings(**OFTEN, aws_endpoint_url=link.url)))
        rings = KeyRings(dynamodb, settings.table_prefix)
        followed = FollowedRing(rings, PrivateKeys(slow, path), RevokedSet(), AT_ONCE, poll_seconds=0.1)
        followed.start()
        stack.push_async_callback(followed.stop)
        made = Ring(rings, PrivateKeys(direct, path), followed, link)
        await made.until_signed_by((await made.loaded()).active(clock.now()).kid)
        yield made


async def test_a_private_key_that_a_lost_try_has_written_is_written(ring: Ring) -> None:
    pem = generate_pem("ES256")
    for _ in range(2):
        await ring.private_keys.add("kid_x", pem)
    assert await ring.private_keys.get("kid_x") == pem
    await ring.private_keys.delete("kid_x")


async def test_a_key_that_can_not_be_read_in_time_lets_the_one_before_it_sign_a_little_longer(ring: Ring) -> None:
    """The next key is read ahead; so it takes two rotations in an outage of SSM to come to that."""
    ring.ssm_link.delay_seconds = HUNG_SECONDS
    second = await ring.rotate()
    await ring.until_signed_by(second)
    await ring.add_next()
    third = await ring.rotate()
    await ring.followed.latest()
    assert ring.signer() == second
    assert {second, third} <= set(ring.followed.current().kids())

    async def signs_no_more() -> bool:
        return ring.signer() is None

    await eventually(signs_no_more, timeout_seconds=10)
    ring.ssm_link.delay_seconds = 0
    await ring.until_signed_by(third)


async def test_a_ring_that_went_back_is_not_believed(ring: Ring, make_settings: MakeSettings) -> None:
    """Restored from a backup, say: keys would come back that were distrusted since."""
    before = await ring.rotate()
    await ring.followed.latest()
    settings = make_settings(**OFTEN)
    async with open_dynamodb(settings) as dynamodb:
        old = replace(await ring.loaded(), version=0)
        await dynamodb.delete_item(TableName=settings.table_prefix + KEY_RINGS, Key={"ring": {"S": "access-tokens"}})
        with pytest.raises(Unavailable):
            await ring.followed.latest()
        assert await ring.rings.begin(old)
    with pytest.raises(Unavailable):
        await ring.followed.latest()
    assert ring.signer() == before


async def test_a_private_key_that_is_another_signs_nothing(ring: Ring) -> None:
    pem, now = generate_pem("ES256"), clock.now()
    key, other = build_named_key(pem, "ES256"), build_named_key(generate_pem("ES256"), "ES256")
    await ring.private_keys.add(other.kid, pem)
    loaded = await ring.loaded()
    added = loaded.with_next(RingKey(other.kid, "ES256", other.public_jwk, int(now * 1000), 900))
    assert await ring.rings.replace(added, now=now) is not None
    second = await ring.rotate()
    await ring.until_signed_by(second)
    await ring.rotate()
    await ring.followed.latest()
    await asyncio.sleep(0.3)
    assert ring.signer() == second != key.kid


async def test_a_change_of_an_old_version_is_not_stored(ring: Ring) -> None:
    old = await ring.loaded()
    await ring.rotate()
    assert await ring.rings.replace(old, now=clock.now()) is None
