"""What the stores promise each other, where no route shows it alone."""

import pytest

from services.auth.domain.problems import NotAnnounced
from services.auth.domain.refresh import rotate
from services.auth.domain.revocations import Guard
from services.auth.domain.sessions import Lifetimes, Origin, start_session
from services.auth.domain.users import User
from services.auth.flows.at_once import at_once
from services.auth.stores.announcer import Announcer
from services.auth.stores.login_attempts import LoginAttempts
from services.auth.stores.revocations import Revocations
from services.auth.stores.sessions import Sessions
from shared import clock
from shared.clients.aws import open_dynamodb
from shared.clients.redis import open_redis
from shared.testing.ports import free_port
from shared.tokens.announcements import Announcements
from shared.tokens.revocation import Kind, Revocation, RevokedSet, Target
from tests.service.auth.conftest import MakeSettings

LIFETIMES = Lifetimes(900, 3600, 10)
USER = User("user_ada", "ada", "hash", ("user",), ("read",))
GUARD = Guard(LIFETIMES, clock_skew_seconds=5)


async def test_a_session_whose_row_is_gone_has_ended(make_settings: MakeSettings) -> None:
    settings, now = make_settings(), clock.now()
    session, token = start_session(
        USER,
        Origin("192.0.2.7", ""),
        client_id="mayfly-login",
        scope=frozenset(),
        issued_at=int(now),
        token_id="tok_1",
        lifetimes=LIFETIMES,
        now=now,
    )
    _, state = rotate(token, session.refresh, now)
    async with open_dynamodb(settings) as dynamodb:
        sessions = Sessions(dynamodb, settings.table_prefix)
        stands = await sessions.rotate(session, state, token_id=None, tokens_expire_at=0, now=now)
        assert await sessions.get(session.session_id) is None
    assert stands is not None
    assert not stands.is_alive(now)


async def test_of_revocations_at_once_the_one_that_reaches_furthest_is_in_force(make_settings: MakeSettings) -> None:
    settings, now = make_settings(), clock.now()
    wanted = [Revocation(Target("user", "ada"), int(now) - age, int(now) + 100 + age) for age in range(4)]
    async with open_dynamodb(settings) as dynamodb:
        revocations = Revocations(dynamodb, settings.table_prefix)
        answers = await at_once(*(revocations.save(each, now) for each in wanted))
        [stored] = [each async for each in revocations.in_force(now)]
        expired = [each async for each in revocations.in_force(now + 1000)]
    assert stored.not_before == max(answer.not_before for answer in answers) >= int(now)
    assert stored.expires_at == int(now) + 103
    assert expired == []


@pytest.mark.parametrize("kind", ["jti", "sid", "user", "client"])
async def test_a_revocation_is_remembered_as_long_as_the_longest_of_its_like(
    make_settings: MakeSettings, kind: Kind
) -> None:
    settings, now = make_settings(), clock.now()
    async with open_dynamodb(settings) as dynamodb:
        revocations = Revocations(dynamodb, settings.table_prefix)
        wanted = [Revocation(Target(kind, "x"), int(now), int(now) + seconds) for seconds in (100, 300, 200, 300, 300)]
        answers = [await revocations.save(each, now) for each in wanted]
        [stored] = [each async for each in revocations.in_force(now)]
    assert stored == answers[-1]
    assert stored.expires_at == int(now) + 300
    assert stored.not_before == int(now)


async def test_wrong_passwords_are_forgotten_and_known_addresses_too(redis_url: str) -> None:
    redis = open_redis(redis_url)
    attempts = LoginAttempts(redis)
    await attempts.count_failure("ada", "192.0.2.7", clock.now())
    await attempts.clear("ada", "192.0.2.7")
    lives = {key: await redis.ttl(key) async for key in redis.scan_iter("mayfly:attempts:*")}
    await redis.aclose()
    assert sorted(key.split(":")[2] for key in lives) == ["address", "known", "user"]
    assert all(0 < seconds <= 30 * 86_400 for seconds in lives.values())
    assert not [key for key in lives if "ada" in key]


async def test_an_announcement_that_fails_is_known_here_at_once() -> None:
    redis = open_redis(f"redis://127.0.0.1:{free_port()}/0")
    revoked = RevokedSet()
    announcer = Announcer(Announcements(redis), revoked)
    with pytest.raises(NotAnnounced):
        await announcer.announce(Revocation(Target("user", "ada"), 100, 200))
    await announcer.stop()
    await redis.aclose()
    assert revoked.not_before(Target("user", "ada")) == 100
