"""Two auths rotate and distrust keys under load: no good token is refused, and no bad one accepted for long."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import httpx
import pytest

from shared import clock
from shared.testing.stack import Stack
from shared.tokens.compact import decode_segment
from tests.support.tokens_in_use import ACCEPTED, REFUSED, in_use

CLIENT = ("demo-service", "demo-service-secret-local-only")
# A key is published for 3 s before it signs.
SETTINGS = {
    "MAYFLY_JWKS_MAX_AGE_SECONDS": "1",
    "MAYFLY_KEY_POLL_SECONDS": "0.2",
    "MAYFLY_KEY_ROTATION_SECONDS": "0",
}
PAUSE_SECONDS = 0.05


@pytest.fixture(scope="module")
async def key_stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    folder = tmp_path_factory.mktemp("keys")
    async with Stack(folder, auths=2, processors=2, workers=0, settings=SETTINGS) as running:
        yield running


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=10) as client:
        yield client


def kid_of(token: str) -> str:
    return str(json.loads(decode_segment(token.split(".", maxsplit=1)[0].encode()))["kid"])


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


async def issue(http: httpx.AsyncClient, auth: str) -> str:
    response = await http.post(f"{auth}/oauth2/token", data={"grant_type": "client_credentials"}, auth=CLIENT)
    assert response.status_code == 200, response.text
    return str(response.json()["access_token"])


async def admin_at(http: httpx.AsyncClient, auth: str) -> str:
    response = await http.post(f"{auth}/api/login", json={"username": "admin", "password": "admin-demo-only"})
    assert response.status_code == 200, response.text
    return str(response.json()["token"])


async def active_at(http: httpx.AsyncClient, auth: str, admin: str) -> str:
    response = await http.get(f"{auth}/api/admin/keys", headers=bearer(admin))
    assert response.status_code == 200, response.text
    return next(str(key["kid"]) for key in response.json()["keys"] if key["state"] == "active")


@dataclass
class Load:
    """Tokens that were issued without a pause, each used at once, everywhere; and what came back, by key."""

    answers: dict[str, set[int]] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)

    async def run(self, http: httpx.AsyncClient, auth: str, users: list[str]) -> None:
        while True:
            token = await issue(http, auth)
            for url in users:
                response = await http.get(url, headers=bearer(token))
                self.answers.setdefault(kid_of(token), set()).add(response.status_code)
                if response.status_code != 200:
                    self.refused.append(f"{kid_of(token)} of {auth} at {url}: {response.status_code} {response.text}")
            await asyncio.sleep(PAUSE_SECONDS)


@contextlib.asynccontextmanager
async def under_load(stack: Stack, http: httpx.AsyncClient) -> AsyncIterator[Load]:
    auths = [instance.url for instance in stack.of_kind("auth")]
    users = [f"{instance.url}/api/process" for instance in stack.of_kind("processor")]
    load = Load()
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(load.run(http, auth, users + [f"{each}/api/me" for each in auths])) for auth in auths
        ]
        yield load
        for task in tasks:
            task.cancel()


async def eventually_signed_by(load: Load, is_wanted: Callable[[str], bool]) -> str:
    async with asyncio.timeout(20):
        while True:
            for kid in load.answers:
                if is_wanted(kid):
                    return kid
            await asyncio.sleep(PAUSE_SECONDS)


async def test_keys_rotate_under_load_without_one_failed_request(key_stack: Stack, http: httpx.AsyncClient) -> None:
    first, second = (instance.url for instance in key_stack.of_kind("auth"))
    admin = await admin_at(http, first)
    old = await issue(http, second)
    async with under_load(key_stack, http) as load:
        seen = {await active_at(http, first, admin)}
        for auth in (first, second, first):
            response = await http.post(f"{auth}/api/admin/keys/rotate", headers=bearer(admin))
            assert response.status_code == 200, response.text
            seen.add(await eventually_signed_by(load, lambda kid: kid not in seen))
            await asyncio.sleep(1)
    assert load.refused == []
    assert len(load.answers) == 4
    for instance in key_stack.of_kind("processor"):
        assert (await http.get(f"{instance.url}/api/process", headers=bearer(old))).status_code == 200


async def test_what_a_distrusted_key_signed_is_refused_within_the_bound(
    key_stack: Stack, http: httpx.AsyncClient
) -> None:
    first, second = (instance.url for instance in key_stack.of_kind("auth"))
    metadata = (await http.get(f"{first}/.well-known/oauth-authorization-server")).json()
    bound = float(metadata["revocation_max_staleness"])
    processors = [instance.url for instance in key_stack.of_kind("processor")]
    admin = await admin_at(http, first)
    stolen, bad = await active_at(http, first, admin), await issue(http, second)
    assert kid_of(bad) == stolen
    async with in_use(processors, bad) as (revoked,):
        await revoked.until(ACCEPTED, processors, within_seconds=10)
        async with under_load(key_stack, http) as load:
            response = await http.post(f"{first}/api/admin/keys/{stolen}/distrust", headers=bearer(admin))
            at = clock.monotonic()
            assert response.status_code == 200, response.text
            await revoked.until(REFUSED, processors, within_seconds=10)
            await asyncio.sleep(bound)
        await revoked.until(REFUSED, processors, within_seconds=10)  # a busy machine may not have asked since
        assert revoked.last_accepted() - at <= bound
        assert revoked.statuses(since=at + bound) == {REFUSED}
    load.answers.pop(stolen, None)
    assert set(map(frozenset, load.answers.values())) == {frozenset({200})}, load.refused


async def test_one_emergency_after_the_other_refuses_no_token_of_a_good_key(
    key_stack: Stack, http: httpx.AsyncClient
) -> None:
    """Then the next key was published a moment ago, and some verifier has not seen it: that one says 503, never 401."""
    auths = [instance.url for instance in key_stack.of_kind("auth")]
    distrusted = set()
    async with under_load(key_stack, http) as load:
        for auth in (*auths, *auths):
            admin = await admin_at(http, auth)
            stolen = kid_of(admin)
            response = await http.post(f"{auth}/api/admin/keys/{stolen}/distrust", headers=bearer(admin))
            assert response.status_code == 200, response.text
            distrusted.add(stolen)
            await asyncio.sleep(0.5)
        last = await eventually_signed_by(load, lambda kid: kid not in distrusted)
        await asyncio.sleep(2)
    good = {kid: statuses for kid, statuses in load.answers.items() if kid not in distrusted}
    assert good.keys() == {last}
    assert good[last] <= {200, 503}, load.refused
