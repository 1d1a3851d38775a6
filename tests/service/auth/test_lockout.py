import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import pytest

from services.auth.domain.lockout import Limits
from services.auth.stores.login_attempts import LoginAttempts
from shared import clock
from shared.clients.redis import open_redis
from shared.testing.ports import free_port
from tests.service.auth.conftest import MakeSettings
from tests.service.auth.running import Auth, problem, running

STRANGER, HOME, ELSEWHERE = "198.51.100.9", "203.0.113.5", "192.0.2.200"


async def _fail(auth: Auth, times: int, username: str = "testuser") -> None:
    for _ in range(times):
        assert (await auth.try_login(username, "not-this-one")).status_code == 401


@pytest.mark.parametrize("username", ["testuser", "nobody"])
async def test_after_five_wrong_passwords_the_sixth_try_must_wait(auth: Auth, username: str) -> None:
    await _fail(auth, 5, username)
    refused = await auth.try_login(username, "testpass")
    assert refused.status_code == 429
    assert problem(refused) == "too-many-attempts"
    assert refused.headers["retry-after"] == "1"


async def test_a_right_password_clears_the_count(auth: Auth) -> None:
    await _fail(auth, 4)
    await auth.login()
    await _fail(auth, 5)


async def test_a_wait_that_is_over_gives_one_more_try_and_a_longer_wait(make_settings: MakeSettings) -> None:
    async with running(make_settings(attempts_free_per_pair=1, attempts_longest_delay_seconds=1)) as auth:
        await _fail(auth, 1)
        assert (await auth.try_login("testuser", "testpass")).status_code == 429
        await auth.resources.backends.redis.hset(await _pair_key(auth), "last_at", "0")
        await auth.login()


async def _pair_key(auth: Auth) -> str:
    keys = [key async for key in auth.resources.backends.redis.scan_iter("mayfly:attempts:pair:*")]
    assert len(keys) == 1
    return str(keys[0])


async def test_another_user_from_the_same_address_may_try(auth: Auth) -> None:
    await _fail(auth, 5)
    await auth.login("alice", "wonderland-demo")


async def test_an_address_that_tries_many_users_must_wait(make_settings: MakeSettings) -> None:
    async with running(make_settings(attempts_free_per_address=3)) as auth:
        for number in range(3):
            await _fail(auth, 1, f"user{number}")
        assert (await auth.try_login("testuser", "testpass")).status_code == 429


async def test_a_user_who_is_tried_from_everywhere_must_be_waited_for(make_settings: MakeSettings) -> None:
    settings = make_settings(attempts_free_per_user=3)
    for number in range(3):
        async with running(settings, address=f"198.51.100.{number}") as stranger:
            await _fail(stranger, 1)
    async with running(settings, address=STRANGER) as stranger:
        assert problem(await stranger.try_login("testuser", "not-this-one")) == "too-many-attempts"


async def test_strangers_do_not_lock_out_a_user_who_has_logged_in_from_here(make_settings: MakeSettings) -> None:
    settings = make_settings(attempts_free_per_user=3)
    async with running(settings, address=HOME) as home, running(settings, address=STRANGER) as stranger:
        await home.login()
        await _fail(stranger, 3)
        assert (await stranger.try_login("testuser", "testpass")).status_code == 429
        await home.login()


async def test_a_whole_ipv6_network_counts_as_one_address(make_settings: MakeSettings) -> None:
    settings = make_settings()
    async with running(settings, address="2001:db8::1") as one, running(settings, address="2001:db8::2") as other:
        await _fail(one, 5)
        assert (await other.try_login("testuser", "testpass")).status_code == 429


async def test_a_wait_holds_at_every_instance(auth: Auth, other_auth: Auth) -> None:
    await _fail(auth, 5)
    assert (await other_auth.try_login("testuser", "testpass")).status_code == 429


async def _at_once(auth: Auth, times: int, password: str) -> Counter[int]:
    responses = await asyncio.gather(*(auth.try_login("testuser", password) for _ in range(times)))
    return Counter(response.status_code for response in responses)


async def test_of_many_wrong_passwords_at_once_no_more_are_checked_than_are_free(make_settings: MakeSettings) -> None:
    async with running(make_settings(attempts_longest_delay_seconds=1)) as auth:
        assert (await _at_once(auth, 20, "not-this-one"))[401] == 5
        await asyncio.sleep(1)
        assert (await _at_once(auth, 20, "not-this-one"))[401] == 1
        await asyncio.sleep(1)
        await auth.login()
        assert (await _at_once(auth, 20, "not-this-one"))[401] == 5


async def test_right_passwords_leave_nothing_counted(make_settings: MakeSettings) -> None:
    async with running(make_settings(attempts_free_per_address=2, attempts_free_per_user=2)) as auth:
        for _ in range(5):
            await auth.login()
        await _fail(auth, 1)
        await auth.login()
        await _fail(auth, 1)
        assert (await auth.try_login("alice", "wonderland-demo")).status_code == 429


async def test_a_try_that_was_not_checked_is_not_counted(make_settings: MakeSettings) -> None:
    settings = make_settings(password_threads=1, password_queue=0)
    async with running(settings) as busy:
        for _ in range(4):
            assert (await _at_once(busy, 4, "testpass"))[200] >= 1
        await _fail(busy, 5)


async def test_a_try_during_an_outage_of_dynamodb_is_not_counted(make_settings: MakeSettings, auth: Auth) -> None:
    async with running(make_settings(aws_endpoint_url=f"http://127.0.0.1:{free_port()}")) as cut_off:
        assert await _at_once(cut_off, 4, "testpass") == {503: 4}
    await _fail(auth, 5)


@pytest.fixture
async def attempts(redis_url: str) -> AsyncIterator[LoginAttempts]:
    redis = open_redis(redis_url, timeout_seconds=10)  # what is counted is tested here, not how patiently
    yield LoginAttempts(redis, Limits(2, 4, 6, longest_delay_seconds=5))
    await redis.aclose()


async def test_each_wrong_password_doubles_the_delay_up_to_the_longest(attempts: LoginAttempts) -> None:
    now = float(int(clock.now()))
    assert [await attempts.count_failure("ada", HOME, now) for _ in range(3)] == [0, 0, 1]
    for delay, next_delay in ((1, 2), (2, 4), (4, 5), (5, 5)):
        assert await attempts.count_failure("ada", HOME, now + delay - 0.25) == 0.25
        now += delay
        assert await attempts.count_failure("ada", HOME, now) == 0
        assert await attempts.count_failure("ada", HOME, now) == next_delay


async def test_a_clock_that_is_behind_waits_no_longer_than_the_delay(attempts: LoginAttempts) -> None:
    now = float(int(clock.now()))
    assert [await attempts.count_failure("ada", HOME, now) for _ in range(2)] == [0, 0]
    assert await attempts.count_failure("ada", HOME, now - 1000) == 1


async def test_what_a_right_password_takes_back_leaves_the_delay_of_the_user_as_it_was(attempts: LoginAttempts) -> None:
    now = float(int(clock.now()))
    await attempts.clear("ada", HOME)
    for stranger in (1, 2):
        assert [await attempts.count_failure("ada", f"198.51.100.{stranger}", now) for _ in range(2)] == [0, 0]
    assert await attempts.count_failure("ada", HOME, now + 0.5) == 0
    await attempts.clear("ada", HOME)
    assert await attempts.count_failure("ada", STRANGER, now + 0.5) == 0.5


async def test_what_is_taken_back_was_never_counted(attempts: LoginAttempts) -> None:
    now = float(int(clock.now()))
    for _ in range(5):
        assert await attempts.count_failure("ada", HOME, now) == 0
        await attempts.take_back("ada", HOME)


async def test_an_hour_of_strangers_never_makes_the_users_own_address_wait(attempts: LoginAttempts) -> None:
    """A hundred addresses try whenever they may; at home the user logs in once a minute, and mistypes now and then."""
    start = float(int(clock.now()))
    await attempts.clear("ada", HOME)
    for second in range(0, 3600, 10):
        await attempts.count_failure("ada", f"198.51.100.{second // 10 % 100}", start + second)
        if second % 60 == 0:
            assert await attempts.count_failure("ada", HOME, start + second + 1) == 0
            if second % 300 == 0:
                assert await attempts.count_failure("ada", HOME, start + second + 3) == 0
            await attempts.clear("ada", HOME)
    assert await attempts.count_failure("ada", ELSEWHERE, start + 3592) > 0


async def test_a_busy_address_is_not_made_to_wait_for_what_was_mistyped_long_ago(attempts: LoginAttempts) -> None:
    """Six are free there in a quarter of an hour: one in three minutes goes on for ever."""
    start = float(int(clock.now()))
    for minute in range(0, 600, 3):
        assert await attempts.count_failure(f"user{minute}", HOME, start + minute * 60) == 0


async def test_right_passwords_in_between_make_nothing_forgotten_sooner(attempts: LoginAttempts) -> None:
    start = float(int(clock.now()))
    for number in range(6):
        assert await attempts.count_failure(f"user{number}", HOME, start) == 0
    waits = []
    for second in range(1, 60):
        waits.append(await attempts.count_failure("mallory", HOME, start + second))
        if waits[-1] == 0:
            await attempts.clear("mallory", HOME)
    assert waits.count(0) == 59
    assert await attempts.count_failure("user6", HOME, start + 60) == 0
    assert await attempts.count_failure("user7", HOME, start + 60) > 0


async def test_elsewhere_the_user_waits_no_longer_than_the_longest_delay_after_the_strangers(
    attempts: LoginAttempts,
) -> None:
    now = float(int(clock.now()))
    for stranger in range(50):
        await attempts.count_failure("ada", f"198.51.100.{stranger}", now + stranger * 5)
    last = now + 49 * 5
    assert 0 < await attempts.count_failure("ada", ELSEWHERE, last + 0.5) <= 5
    assert await attempts.count_failure("ada", ELSEWHERE, last + 5.5) == 0
