"""No revoked token is accepted past `revocation_max_staleness`, and no good one is refused, whatever happens to Redis.

Each test uses a token without a pause at three processor processes, revokes it, and looks at the age of the last use
that was accepted.
"""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from shared import clock
from shared.testing.stack import Stack
from tests.support.tokens_in_use import TokenInUse, in_use

CLIENT = ("demo-service", "demo-service-secret-local-only")


@pytest.fixture
async def auth(trust_stack: Stack) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=trust_stack.auth_url, timeout=10) as client:
        yield client


@pytest.fixture
async def bound(auth: httpx.AsyncClient) -> float:
    """The published promise, in seconds."""
    metadata = (await auth.get("/.well-known/oauth-authorization-server")).json()
    return float(metadata["revocation_max_staleness"])


async def log_in(auth: httpx.AsyncClient, username: str = "testuser", password: str = "testpass") -> str:
    response = await auth.post("/api/login", json={"username": username, "password": password})
    assert response.status_code == 200, response.text
    return str(response.json()["token"])


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def processors(stack: Stack) -> list[str]:
    return [instance.url for instance in stack.of_kind("processor") if instance.child.running]


def holds(revoked: TokenInUse, good: TokenInUse, revoked_at: float, bound: float) -> None:
    """What every test ends with: the age of the last wrong acceptance, and no good token refused."""
    assert revoked.last_accepted() - revoked_at <= bound
    assert good.statuses() <= {200, 503}
    assert all(use.retry_after for use in (*revoked.uses, *good.uses) if use.status == 503)


async def revoke_jti(auth: httpx.AsyncClient, token: str) -> httpx.Response:
    return await auth.post("/oauth2/revoke", data={"token": token})


async def revoke_session(auth: httpx.AsyncClient, token: str) -> httpx.Response:
    return await auth.post("/api/logout", headers=bearer(token))


async def revoke_user(auth: httpx.AsyncClient, token: str) -> httpx.Response:
    return await auth.delete("/api/sessions", headers=bearer(token))


@pytest.mark.parametrize("revoke", [revoke_jti, revoke_session, revoke_user])
async def test_a_revoked_token_is_refused_by_every_process(
    trust_stack: Stack, auth: httpx.AsyncClient, bound: float, revoke: object
) -> None:
    bad, good = await log_in(auth, "alice", "wonderland-demo"), await log_in(auth)
    async with in_use(processors(trust_stack), bad, good) as (revoked, other):
        await revoked.until(200, processors(trust_stack), within_seconds=10)
        response = await revoke(auth, bad)  # type: ignore[operator]  # one of the three above
        assert response.is_success, response.text
        at = clock.monotonic()
        await revoked.until(401, processors(trust_stack), within_seconds=10)
        holds(revoked, other, at, bound)
        assert revoked.statuses(since=at + bound) <= {401}


async def test_a_revoked_client_is_refused_by_every_process(
    trust_stack: Stack, auth: httpx.AsyncClient, bound: float
) -> None:
    response = await auth.post("/oauth2/token", data={"grant_type": "client_credentials"}, auth=CLIENT)
    bad, good = response.json()["access_token"], await log_in(auth)
    admin = bearer(await log_in(auth, "admin", "admin-demo-only"))
    async with in_use(processors(trust_stack), bad, good) as (revoked, other):
        await revoked.until(200, processors(trust_stack), within_seconds=10)
        body = {"kind": "client", "value": CLIENT[0]}
        response = await auth.post("/api/admin/revocations", json=body, headers=admin)
        assert response.is_success, response.text
        at = clock.monotonic()
        await revoked.until(401, processors(trust_stack), within_seconds=10)
        holds(revoked, other, at, bound)


async def test_a_processor_that_starts_anew_knows_what_was_revoked(trust_stack: Stack, auth: httpx.AsyncClient) -> None:
    bad, good = await log_in(auth), await log_in(auth)
    assert (await revoke_session(auth, bad)).is_success
    first, *_ = trust_stack.of_kind("processor")
    await first.restart(politely=False)
    async with in_use([first.url], bad, good) as (revoked, other):
        await other.until(200, [first.url], within_seconds=10)
        await revoked.until(401, [first.url], within_seconds=10)
        assert revoked.statuses() == {401}


async def test_the_bound_holds_while_redis_hangs(trust_stack: Stack, auth: httpx.AsyncClient, bound: float) -> None:
    bad, good = await log_in(auth), await log_in(auth)
    async with in_use(processors(trust_stack), bad, good) as (revoked, other):
        await revoked.until(200, processors(trust_stack), within_seconds=10)
        trust_stack.redis.pause()
        try:
            response = await revoke_jti(auth, bad)
            at = clock.monotonic()
            assert (response.status_code, "retry-after" in response.headers) == (503, True), response.text
            await revoked.until(401, processors(trust_stack), within_seconds=bound + 10)
            await other.until(200, processors(trust_stack), within_seconds=10)
        finally:
            trust_stack.redis.resume()
        await asyncio.sleep(bound)
        await other.until(200, processors(trust_stack), within_seconds=10)
        holds(revoked, other, at, bound)


async def test_the_bound_holds_while_redis_is_gone_and_it_comes_back_empty(
    trust_stack: Stack, auth: httpx.AsyncClient, bound: float
) -> None:
    before, bad, good = await log_in(auth), await log_in(auth), await log_in(auth)
    assert (await revoke_session(auth, before)).is_success
    async with in_use(processors(trust_stack), before, bad, good) as (earlier, revoked, other):
        await revoked.until(200, processors(trust_stack), within_seconds=10)
        await trust_stack.redis.kill()
        response = await revoke_jti(auth, bad)
        at = clock.monotonic()
        assert response.status_code == 503, response.text
        await revoked.until(401, processors(trust_stack), within_seconds=bound + 10)
        await trust_stack.redis.start()
        await trust_stack.redis.flush()
        await asyncio.sleep(2 * bound)
        await other.until(200, processors(trust_stack), within_seconds=10)
        holds(revoked, other, at, bound)
        assert earlier.statuses() <= {401, 503}


async def test_a_flushed_redis_brings_no_token_back(trust_stack: Stack, auth: httpx.AsyncClient, bound: float) -> None:
    bad, good = await log_in(auth), await log_in(auth)
    assert (await revoke_session(auth, bad)).is_success
    first, *_ = trust_stack.of_kind("processor")
    async with in_use(processors(trust_stack), bad, good) as (revoked, other):
        await revoked.until(401, processors(trust_stack), within_seconds=10)
        at = clock.monotonic()
        await trust_stack.redis.flush()
        await first.restart(politely=False)
        await asyncio.sleep(2 * bound)
        await other.until(200, processors(trust_stack), within_seconds=10)
        assert revoked.statuses(since=at) <= {0, 401, 503}
        later = await log_in(auth)
        assert (await revoke_session(auth, later)).is_success
    async with in_use(processors(trust_stack), later) as (news,):
        await news.until(401, processors(trust_stack), within_seconds=10)
        assert news.statuses() == {401}
