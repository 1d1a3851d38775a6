"""The key ring, followed by several auths over one store."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from prometheus_client import REGISTRY

from services.auth.flows.keep_keys import KeepKeys
from services.auth.settings import AuthSettings
from services.auth.stores.followed_ring import SPACING_SECONDS
from shared import clock
from shared.clients.aws import open_ssm
from shared.tokens.compact import decode_segment, encode_base64url
from tests.service.auth.conftest import MakeSettings
from tests.service.auth.running import Auth, bearer, problem, running
from tests.support.waiting import eventually

JWKS, KEYS = "/.well-known/jwks.json", "/api/admin/keys"
PATIENCE_SECONDS = 15.0


@pytest.fixture
def ground(new_ground: str) -> str:
    """Its key ring is as old as the test."""
    return new_ground


@pytest.fixture
def ring_settings(make_settings: MakeSettings) -> MakeSettings:
    """Without a key in the settings; the ring is looked at often, and a key is published 2.5 s before it signs."""

    def make(**overrides: object) -> AuthSettings:
        ours = {"signing_key": None, "jwks_max_age_seconds": 0, "key_poll_seconds": 0.1, "key_rotation_seconds": 0}
        return make_settings(**{**ours, **overrides})

    return make


@pytest.fixture
async def one(ring_settings: MakeSettings) -> AsyncIterator[Auth]:
    async with running(ring_settings()) as auth:
        await auth.until_it_signs()
        yield auth


@pytest.fixture
async def other(ring_settings: MakeSettings, one: Auth) -> AsyncIterator[Auth]:
    async with running(ring_settings()) as auth:
        await auth.until_it_signs()
        await auth.until_it_hears()
        yield auth


@pytest.fixture
async def admin(one: Auth) -> str:
    return str((await one.login("admin", "admin-demo-only"))["token"])


def kid_of(token: str) -> str:
    return str(json.loads(decode_segment(token.split(".", maxsplit=1)[0].encode()))["kid"])


async def keys_of(auth: Auth, admin: str) -> list[dict[str, Any]]:
    response = await auth.get(KEYS, admin)
    assert response.status_code == 200, response.text
    body = response.json()
    assert body["managed"] is True
    return list(body["keys"])


async def states(auth: Auth, admin: str) -> list[str]:
    return [key["state"] for key in await keys_of(auth, admin)]


async def published(auth: Auth) -> set[str]:
    return {key["kid"] for key in (await auth.http.get(JWKS)).json()["keys"]}


async def rotate(auth: Auth, admin: str) -> list[dict[str, Any]]:
    response = await auth.post(f"{KEYS}/rotate", admin)
    assert response.status_code == 200, response.text
    return list(response.json()["keys"])


async def until_active(auth: Auth, kid: str) -> None:
    async def signs() -> bool:
        return auth.resources.keys.active.kid == kid

    await eventually(signs, timeout_seconds=PATIENCE_SECONDS)


async def until_states(auth: Auth, admin: str, *wanted: str) -> None:
    async def reached() -> bool:
        return await states(auth, admin) == list(wanted)

    await eventually(reached, timeout_seconds=PATIENCE_SECONDS)


async def private_keys(settings: AuthSettings) -> set[str]:
    async with open_ssm(settings) as ssm:
        found = await ssm.get_parameters_by_path(Path=settings.effective_signing_keys_path)
    return {parameter["Name"].rsplit("/", 1)[-1] for parameter in found["Parameters"]}


async def test_all_instances_sign_with_the_same_key_and_publish_the_next_one(
    one: Auth, other: Auth, admin: str
) -> None:
    active, following = await keys_of(one, admin)
    assert (active["state"], following["state"], following["signs_from"]) == ("active", "next", None)
    for auth in (one, other):
        assert kid_of((await auth.login())["token"]) == active["kid"]
        assert await published(auth) == {active["kid"], following["kid"]}
    assert (await one.http.get(JWKS)).headers["etag"] == (await other.http.get(JWKS)).headers["etag"]


async def test_nothing_private_is_told(one: Auth, admin: str) -> None:
    for path in (JWKS, KEYS):
        response = await one.http.get(path, headers=bearer(admin))
        assert "PRIVATE" not in response.text
        assert not {"d", "p", "q", "dp", "dq", "qi"} & response.json()["keys"][0].keys()


async def test_a_rotation_is_followed_by_every_instance_and_refuses_no_token(
    one: Auth, other: Auth, admin: str
) -> None:
    old = (await other.login())["token"]
    following = (await keys_of(one, admin))[1]["kid"]
    planned = (await rotate(one, admin))[1]
    assert (planned["kid"], planned["signs_from"] > planned["published_at"]) == (following, True)
    for auth in (one, other):
        await until_active(auth, following)
    new = (await one.login())["token"]
    assert kid_of(new) == following
    for token in (old, new):
        assert await one.accepts(token)
        assert await other.accepts(token)
    await until_states(one, admin, "retiring", "active", "next")


async def test_a_key_that_was_published_for_long_enough_signs_at_once(one: Auth, other: Auth, admin: str) -> None:
    await asyncio.sleep(2.6)
    following = (await rotate(other, admin))[1]
    assert following["state"] == "active"
    assert kid_of((await other.login())["token"]) == following["kid"]


async def test_of_many_rotations_at_once_one_is_done(one: Auth, other: Auth, admin: str) -> None:
    await asyncio.sleep(2.6)
    before = [key["kid"] for key in await keys_of(one, admin)]
    answers = await asyncio.gather(*(rotate(auth, admin) for auth in (one, other) * 4))
    assert {next(key["kid"] for key in answer if key["state"] == "active") for answer in answers} == {before[1]}
    await until_states(other, admin, "retiring", "active", "next")
    kids = [key["kid"] for key in await keys_of(other, admin)]
    assert kids[:2] == before

    async def no_other_is_left() -> bool:
        return await private_keys(one.resources.settings) == set(kids)

    await eventually(no_other_is_left)


async def test_the_schedule_rotates_by_itself_on_all_instances_as_one(ring_settings: MakeSettings) -> None:
    settings = ring_settings(key_rotation_seconds=3, access_ttl_seconds=30)
    async with running(settings) as one, running(settings) as other:
        await one.until_it_signs()
        await other.until_it_signs()
        token = (await one.login("admin", "admin-demo-only"))["token"]
        first = await keys_of(one, token)
        await until_active(one, first[1]["kid"])
        await until_active(other, first[1]["kid"])
        assert [key["kid"] for key in await keys_of(one, token)][:2] == [key["kid"] for key in first]


async def test_a_new_instance_begins_with_the_ring_as_it_is(one: Auth, admin: str, ring_settings: MakeSettings) -> None:
    await asyncio.sleep(2.6)
    active = (await rotate(one, admin))[1]["kid"]
    async with running(ring_settings()) as fresh:
        assert (await fresh.http.get(JWKS)).status_code in {200, 503}
        await fresh.until_it_signs()
        assert fresh.resources.keys.active.kid == active
        assert await fresh.accepts(admin)


async def test_a_key_goes_when_its_last_token_has_expired(one: Auth, admin: str) -> None:
    await rotate(one, admin)
    retiring = (await keys_of(one, admin))[0]["kid"]
    changes = one.resources.key_ring.rotate.changes
    assert changes is not None
    later = KeepKeys(changes, lambda: clock.now() + one.resources.settings.access_ttl_seconds + 60)
    await later()
    assert retiring not in await published(one)
    assert retiring not in await private_keys(one.resources.settings)


async def test_a_settings_key_is_neither_rotated_nor_distrusted_by_us(auth: Auth) -> None:
    admin = (await auth.login("admin", "admin-demo-only"))["token"]
    body = (await auth.get(KEYS, admin)).json()
    [key] = body["keys"]
    assert (body["managed"], key["state"], key["published_at"]) == (False, "active", None)
    for path in ("/rotate", f"/{key['kid']}/distrust"):
        response = await auth.post(KEYS + path, admin)
        assert (response.status_code, problem(response)) == (409, "keys-not-managed")


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("POST", "/rotate"), ("POST", "/x/distrust")])
async def test_who_is_no_admin_is_refused(auth: Auth, method: str, path: str) -> None:
    token = (await auth.login())["token"]
    response = await auth.http.request(method, KEYS + path, headers=bearer(token))
    assert (response.status_code, problem(response)) == (403, "insufficient-scope")


async def distrust(auth: Auth, admin: str, kid: str) -> list[dict[str, Any]]:
    response = await auth.post(f"{KEYS}/{kid}/distrust", admin)
    assert response.status_code == 200, response.text
    body = response.json()
    assert (body["kid"], "-" in body["receipt"]) == (kid, True)
    return list(body["keys"])


async def test_a_distrusted_key_is_published_no_more_and_the_next_one_signs(one: Auth, other: Auth, admin: str) -> None:
    stolen, following = [key["kid"] for key in await keys_of(one, admin)]
    tokens = await other.login()
    assert [key["state"] for key in await distrust(one, admin, stolen)][:2] == ["distrusted", "active"]
    assert kid_of((await one.login())["token"]) == following

    async def refused() -> bool:
        return not await other.accepts(tokens["token"])

    await eventually(refused)
    assert not await one.accepts(tokens["token"])
    assert stolen not in await published(one)
    refreshed = (await other.refresh(tokens["refresh_token"])).json()["access_token"]
    assert kid_of(refreshed) == following
    assert await one.accepts(refreshed)
    assert await other.accepts(refreshed)


async def test_an_instance_that_hears_of_it_signs_nothing_more_with_the_key(one: Auth, other: Auth, admin: str) -> None:
    """Before it has looked at the ring: so no login is answered with a token that nobody takes."""
    stolen = (await keys_of(one, admin))[0]["kid"]
    receipt = asyncio.create_task(distrust(one, admin, stolen))
    while stolen == other.resources.keys.active.kid:
        await asyncio.sleep(0.005)
    token = (await other.login())["token"]
    assert kid_of(token) != stolen
    await receipt
    assert await one.accepts(token)


async def test_keys_may_be_distrusted_one_after_the_other(one: Auth, other: Auth, admin: str) -> None:
    """The third time there is no key that anybody has seen before: one is made at once."""
    for auth in (one, other, one):
        admin = (await auth.login("admin", "admin-demo-only"))["token"]
        kid = next(key["kid"] for key in await keys_of(auth, admin) if key["state"] == "active")
        keys = await distrust(auth, admin, kid)
        assert [key["state"] for key in keys].count("active") == 1
    token = (await one.login())["token"]
    assert await one.accepts(token)
    assert await other.accepts(token)


async def test_a_key_that_is_distrusted_again_is_announced_again(one: Auth, admin: str) -> None:
    stolen = (await keys_of(one, admin))[0]["kid"]
    await distrust(one, admin, stolen)
    admin = (await one.login("admin", "admin-demo-only"))["token"]
    again = await distrust(one, admin, stolen)
    assert [key["state"] for key in again if key["kid"] == stolen] == ["distrusted"]


async def test_of_a_key_that_nobody_knows_nothing_is_revoked(one: Auth, admin: str) -> None:
    response = await one.post(f"{KEYS}/unknown/distrust", admin)
    assert (response.status_code, problem(response)) == (404, "key-not-found")
    response = await one.post(f"{KEYS}/{'a' * 200}/distrust", admin)
    assert (response.status_code, problem(response)) == (422, "validation-failed")


async def test_a_key_that_was_revoked_by_name_leaves_the_ring_too(one: Auth, other: Auth, admin: str) -> None:
    stolen = (await keys_of(one, admin))[0]["kid"]
    response = await one.post("/api/admin/revocations", admin, {"kind": "key", "value": stolen})
    assert response.status_code == 200, response.text

    async def gone() -> bool:
        return stolen not in await published(one) | await published(other)

    await eventually(gone)
    assert kid_of((await one.login())["token"]) != stolen


async def test_the_private_part_of_a_distrusted_key_is_deleted(one: Auth, admin: str) -> None:
    stolen = (await keys_of(one, admin))[0]["kid"]
    await distrust(one, admin, stolen)
    assert stolen not in await private_keys(one.resources.settings)


def reads() -> float:
    labels = {"service": "dynamodb", "operation": "GetItem"}
    return REGISTRY.get_sample_value("mayfly_aws_call_seconds_count", labels) or 0


async def test_a_flood_of_unknown_kids_reads_the_ring_a_few_times(one: Auth, admin: str) -> None:
    made_up = [with_kid(admin, f"kid-{number}") for number in range(100)]
    before, started = reads(), clock.monotonic()
    answers = await asyncio.gather(*(one.get("/api/me", token) for token in made_up))
    assert {answer.status_code for answer in answers} == {401}
    assert reads() - before <= (clock.monotonic() - started) / SPACING_SECONDS + 2


def with_kid(token: str, kid: str) -> str:
    """The token, as if another key had signed it."""
    header = json.dumps({"typ": "at+jwt", "alg": "ES256", "kid": kid}).encode()
    return f"{encode_base64url(header).decode()}.{token.split('.', maxsplit=1)[1]}"
