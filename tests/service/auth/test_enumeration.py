"""Nobody learns from a login which users there are: not by the answer, and not by the time."""

from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest

from tests.service.auth.conftest import MakeSettings
from tests.service.auth.running import Auth, problem, running
from tests.support.timing import TELLING, Request, deviation, timed_in_pairs

ALICE = ("alice", "wonderland-demo")
DEAR = {"password_iterations": 6}
"""A hash of these takes longer than a busy machine's whims."""


@pytest.fixture
async def open_auth(make_settings: MakeSettings) -> AsyncIterator[Auth]:
    """One that lets everybody try without end; testuser's hash is as dear as new ones, alice's still cheap."""
    free = dict.fromkeys(("attempts_free_per_pair", "attempts_free_per_user", "attempts_free_per_address"), 10_000)
    async with running(make_settings(**free, **DEAR)) as auth:
        await auth.login()
        yield auth


def _tries(auth: Auth, username: str) -> Request:
    async def attempt() -> httpx.Response:
        response = await auth.try_login(username, "not-this-one")
        assert problem(response) == "invalid-credentials"
        return response

    return attempt


async def test_an_unknown_user_and_a_wrong_password_take_the_same_time(open_auth: Auth) -> None:
    differences = await timed_in_pairs(_tries(open_auth, "nobody"), _tries(open_auth, "testuser"))
    assert deviation(differences) < TELLING, sorted(differences)


async def test_a_disabled_user_and_a_wrong_password_take_the_same_time(open_auth: Auth) -> None:
    await open_auth.login(*ALICE)
    users = open_auth.resources.parts.users
    alice = await users.get("alice")
    assert alice is not None
    await users.change(alice, replace(alice, disabled=True))
    differences = await timed_in_pairs(_tries(open_auth, "alice"), _tries(open_auth, "testuser"))
    assert deviation(differences) < TELLING, sorted(differences)


async def test_the_test_would_see_a_hash_that_is_not_made(open_auth: Auth) -> None:
    """Alice's takes a sixth of the time of the others', nearly as if there were none."""
    differences = await timed_in_pairs(_tries(open_auth, "alice"), _tries(open_auth, "testuser"))
    assert deviation(differences) > TELLING, sorted(differences)
