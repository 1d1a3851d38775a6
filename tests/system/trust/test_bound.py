"""Nothing is broken: a revocation of each kind reaches every process, and a process that starts knows what was revoked.

Each test uses a token without a pause at three processor processes, revokes it, and looks at the age of the last use
that was accepted.
"""

from collections.abc import Awaitable, Callable

import httpx
import pytest

from deploy.local.welcome import DEMO_CLIENT
from tests.support.tokens_in_use import ACCEPTED, REFUSED, in_use
from tests.system.trust.world import World, bearer, moment

Revoke = Callable[[World, str], Awaitable[httpx.Response]]


async def one_token(world: World, token: str) -> httpx.Response:
    return await world.revoke(token)


async def its_session(world: World, token: str) -> httpx.Response:
    return await world.post("/api/logout", token)


async def its_user(world: World, token: str) -> httpx.Response:
    return await world.http.delete(world.stack.auth_url + "/api/sessions", headers=bearer(token))


async def receipt_is_read(world: World, response: httpx.Response) -> None:
    """Whoever has read up to the receipt refuses: so says the contract, and so the metrics show it."""
    milliseconds, _, sequence = response.headers["revocation-receipt"].partition("-")
    for url in world.processors:
        text = (await world.http.get(url + "/metrics")).text
        position = {
            line.split('"')[1]: float(line.split()[1])
            for line in text.splitlines()
            if line.startswith("mayfly_revocation_stream_position{")
        }
        assert (position["milliseconds"], position["sequence"]) >= (int(milliseconds), int(sequence))


@pytest.mark.parametrize("revoke", [one_token, its_session, its_user])
async def test_a_revoked_token_is_refused_by_every_process(world: World, revoke: Revoke) -> None:
    bad, good = await world.token("alice"), await world.token()
    async with world.watching(bad, good) as (revoked, other):
        response = await revoke(world, bad)
        assert response.is_success, response.text
        at = moment()
        await world.everywhere(REFUSED, revoked)
        world.holds(revoked, other, at)
        assert revoked.statuses(since=at + world.bound) <= {REFUSED}
    await receipt_is_read(world, response)


async def test_a_revoked_client_is_refused_by_every_process(world: World) -> None:
    url = world.stack.auth_url + "/oauth2/token"
    response = await world.http.post(url, data={"grant_type": "client_credentials"}, auth=DEMO_CLIENT)
    bad, good, admin = response.json()["access_token"], await world.token(), await world.token("admin")
    async with world.watching(bad, good) as (revoked, other):
        body = {"kind": "client", "value": DEMO_CLIENT[0]}
        response = await world.post("/api/admin/revocations", admin, body)
        assert response.is_success, response.text
        at = moment()
        await world.everywhere(REFUSED, revoked)
        world.holds(revoked, other, at)


async def test_everything_is_refused_by_every_process_and_what_is_issued_later_is_not(world: World) -> None:
    admin = await world.token("admin")
    async with world.watching(await world.token(), await world.token("alice")) as (one, another):
        response = await world.post("/api/admin/revocations", admin, {"kind": "all"})
        assert response.is_success, response.text
        at = moment()
        await world.everywhere(REFUSED, one)
        await world.everywhere(REFUSED, another)
        assert max(one.last_accepted(), another.last_accepted()) - at <= world.bound
    async with world.watching(await world.token()) as (later,):
        await world.everywhere(ACCEPTED, later)


async def test_a_processor_that_starts_anew_knows_what_was_revoked(world: World) -> None:
    bad, good = await world.token(), await world.token()
    assert (await its_session(world, bad)).is_success
    first = world.stack.of_kind("processor")[0]
    await first.restart(politely=False)
    async with in_use([first.url], bad, good) as (revoked, other):
        await other.until(ACCEPTED, [first.url], within_seconds=10)
        await revoked.until(REFUSED, [first.url], within_seconds=10)
        assert revoked.statuses() <= {REFUSED}
