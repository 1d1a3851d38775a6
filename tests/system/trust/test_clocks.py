"""Two auths whose clocks are two seconds apart: what one issued the other can revoke."""

import sys
from collections.abc import AsyncIterator

import httpx
import pytest

from shared.testing.aws_emulator import REPOSITORY
from shared.testing.ports import free_port
from shared.testing.processes import Child, http_answers
from shared.testing.server import Server
from tests.support.tokens_in_use import ACCEPTED, REFUSED
from tests.support.waiting import eventually
from tests.system.trust.world import World, bearer, moment

AHEAD_SECONDS = 2


@pytest.fixture
async def ahead(world: World) -> AsyncIterator[str]:
    """The address of an auth that is two seconds ahead of everybody, and of which the others know."""
    port = free_port()
    child = Child(
        "auth-ahead",
        [sys.executable, "-m", "tests.support.wrong_clock", str(AHEAD_SECONDS), "services.auth"],
        environment={
            **world.stack.environment,
            "MAYFLY_SSM_PREFIX": "/mayfly/local/auth/",
            "MAYFLY_PORT": str(port),
        },
        log_file=world.stack.folder / "logs" / "auth-ahead.log",
        working_folder=REPOSITORY,
    )
    async with Server(port, child, http_answers(f"http://127.0.0.1:{port}/readyz")) as server:

        async def is_known() -> bool:
            leads = [await world.metric(auth.url, "mayfly_clock_lead_seconds") for auth in world.auths]
            return min(leads) > AHEAD_SECONDS - 0.5

        await eventually(is_known, timeout_seconds=20)
        yield server.url


async def log_in_again(world: World, auth: str) -> str:
    """Right after a revocation it may be told to wait a second (503); then it goes."""

    async def goes() -> bool:
        tokens[:] = [await world.token("alice", auth=auth)]
        return True

    async def succeeds() -> bool:
        try:
            return await goes()
        except AssertionError:
            return False

    tokens: list[str] = []
    await eventually(succeeds, timeout_seconds=10)
    return tokens[0]


async def revoke_user(world: World, token: str, auth: str) -> httpx.Response:
    return await world.http.delete(auth + "/api/sessions", headers=bearer(token))


async def test_a_token_of_an_auth_that_is_ahead_is_ended_by_one_that_is_not(world: World, ahead: str) -> None:
    bad, good = await world.token("alice", auth=ahead), await world.token(auth=ahead)
    async with world.watching(bad, good) as (revoked, other):
        assert (await revoke_user(world, bad, world.stack.auth_url)).is_success
        at = moment()
        await world.everywhere(REFUSED, revoked)
        world.holds(revoked, other, at)


async def test_a_token_of_an_auth_that_is_behind_is_ended_by_one_that_is_ahead(world: World, ahead: str) -> None:
    bad, good = await world.token("alice"), await world.token()
    async with world.watching(bad, good) as (revoked, other):
        assert (await revoke_user(world, bad, ahead)).is_success
        at = moment()
        await world.everywhere(REFUSED, revoked)
        world.holds(revoked, other, at)


async def test_who_logs_in_again_after_a_revocation_is_taken_by_everybody(world: World, ahead: str) -> None:
    bad = await world.token("alice", auth=ahead)
    assert (await revoke_user(world, bad, world.stack.auth_url)).is_success
    tokens = [await log_in_again(world, auth) for auth in (world.stack.auth_url, ahead)]
    async with world.watching(*tokens) as watched:
        for each in watched:
            await world.everywhere(ACCEPTED, each)
            assert REFUSED not in each.statuses()
