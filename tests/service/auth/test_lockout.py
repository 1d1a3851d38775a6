import pytest

from tests.service.auth.conftest import MakeSettings
from tests.service.auth.running import Auth, problem, running

STRANGER, HOME = "198.51.100.9", "203.0.113.5"


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
        tallies = auth.resources.login.attempts
        await tallies._redis.hset(await _pair_key(auth), "last_at", "0")
        await auth.login()


async def _pair_key(auth: Auth) -> str:
    keys = [key async for key in auth.resources.redis.scan_iter("mayfly:attempts:pair:*")]
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
