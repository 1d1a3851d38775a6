"""What failure-modes.md says of pages, codes, devices and the key ring in an outage: each from its beginning."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from services.auth.domain.grant_types import DEVICE_CODE
from shared.testing.ports import free_port
from shared.testing.valkey import Valkey
from tests.service.auth.conftest import MakeSettings
from tests.service.auth.running import Auth, oauth_error, problem, running
from tests.support.browser_pages import Browser, Pkce, answer_of, authorize_url
from tests.support.link import Link
from tests.support.login_clients import HOME, login_client, register

DEVICE_PAGE = "/oauth2/device"
KEYS = "/api/admin/keys"
RING = {"signing_key": None, "jwks_max_age_seconds": 0, "key_poll_seconds": 0.1, "key_rotation_seconds": 0}


@pytest.fixture
def ground(new_ground: str) -> str:
    """Its key ring is as old as the test."""
    return new_ground


@pytest.fixture
async def redis(tmp_path: Path) -> AsyncIterator[Valkey]:
    async with Valkey(tmp_path) as server:
        yield server


@pytest.fixture
async def frail(make_settings: MakeSettings, redis: Valkey) -> AsyncIterator[Auth]:
    """Its Redis may be killed."""
    async with running(make_settings(redis_url=redis.url)) as auth:
        await register(auth, login_client("spa"))
        await auth.until_it_hears()
        yield auth


@pytest.fixture
async def aws(aws_endpoint_url: str) -> AsyncIterator[Link]:
    async with Link(aws_endpoint_url) as link:
        yield link


def token_of(response: httpx.Response) -> str:
    assert response.status_code == 200, response.text
    return str(response.json()["access_token"])


async def redeemed(auth: Auth, code: str, pkce: Pkce) -> httpx.Response:
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": HOME, "client_id": "spa"}
    return await auth.http.post("/oauth2/token", data={**form, "code_verifier": pkce.verifier})


async def begun(auth: Auth) -> dict[str, str]:
    response = await auth.http.post("/oauth2/device_authorization", data={"client_id": "spa", "scope": "jobs:read"})
    assert response.status_code == 200, response.text
    codes: dict[str, str] = response.json()
    return codes


async def asked(auth: Auth, codes: dict[str, str]) -> httpx.Response:
    form = {"grant_type": DEVICE_CODE, "device_code": codes["device_code"], "client_id": "spa"}
    return await auth.http.post("/oauth2/token", data=form)


async def test_without_redis_who_is_logged_in_consents_and_a_code_gives_tokens(frail: Auth, redis: Valkey) -> None:
    browser, pkce = Browser(frail.http), Pkce()
    consent = await browser.log_in(await browser.get(authorize_url("spa", HOME, pkce)))
    await redis.kill()
    code = answer_of(await browser.send(consent, "allow"), HOME)["code"]
    token = token_of(await redeemed(frail, code, pkce))
    assert oauth_error(await redeemed(frail, code, pkce)) == "invalid_grant"
    assert not await frail.accepts(token)
    await redis.start()


async def test_without_redis_devices_begin_and_get_tokens_but_nobody_enters_a_code(frail: Auth, redis: Valkey) -> None:
    browser, codes, late = Browser(frail.http), await begun(frail), await begun(frail)
    page = await browser.log_in(await browser.get(DEVICE_PAGE))
    consent = await browser.send(page, "find", user_code=codes["user_code"])
    assert (await browser.send(consent, "allow")).status_code == 200
    await redis.kill()
    assert token_of(await asked(frail, codes))
    assert oauth_error(await asked(frail, await begun(frail))) == "authorization_pending"
    refused = await browser.send(page, "find", user_code=late["user_code"])
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    assert refused.headers["content-type"] == "text/html; charset=utf-8"
    await redis.start()


async def test_without_dynamodb_a_code_of_either_kind_can_be_sent_again(
    make_settings: MakeSettings, aws: Link, aws_endpoint_url: str
) -> None:
    async with running(make_settings(aws_endpoint_url=aws.url)) as auth:
        await register(auth, login_client("spa"))
        await auth.until_it_hears()
        browser, pkce, codes = Browser(auth.http), Pkce(), await begun(auth)
        consent = await browser.log_in(await browser.get(authorize_url("spa", HOME, pkce)))
        code = answer_of(await browser.send(consent, "allow"), HOME)["code"]
        page = await browser.get(DEVICE_PAGE)
        aws.lead_to(f"http://127.0.0.1:{free_port()}")
        entered = await browser.send(page, "find", user_code=codes["user_code"])
        assert (entered.status_code, entered.headers["retry-after"]) == (503, "1")
        for refused in (await redeemed(auth, code, pkce), await asked(auth, codes)):
            assert (refused.status_code, oauth_error(refused)) == (503, "temporarily_unavailable")
            assert int(refused.headers["retry-after"]) >= 1
        aws.lead_to(aws_endpoint_url)
        assert token_of(await redeemed(auth, code, pkce))
        assert oauth_error(await asked(auth, codes)) == "authorization_pending"


async def test_without_redis_a_key_is_distrusted_and_its_end_not_announced(
    make_settings: MakeSettings, redis: Valkey
) -> None:
    async with running(make_settings(**RING, redis_url=redis.url)) as auth:
        await auth.until_it_signs()
        await auth.until_it_hears()
        admin = (await auth.login("admin", "admin-demo-only"))["token"]
        await redis.kill()
        assert (await auth.post(f"{KEYS}/rotate", admin)).status_code == 200
        listed = await auth.get(KEYS, admin)
        assert listed.status_code == 200
        stolen = next(key["kid"] for key in listed.json()["keys"] if key["state"] == "active")
        distrusted = await auth.post(f"{KEYS}/{stolen}/distrust", admin)
        assert (distrusted.status_code, problem(distrusted)) == (503, "revocation-not-announced")
        assert not await auth.accepts(admin)
        await redis.start()


async def test_without_dynamodb_nothing_is_decided_about_keys(make_settings: MakeSettings, aws: Link) -> None:
    async with running(make_settings(**RING, aws_endpoint_url=aws.url)) as auth:
        await auth.until_it_signs()
        await auth.until_it_hears()
        admin = (await auth.login("admin", "admin-demo-only"))["token"]
        kid = auth.resources.keys.active.kid
        aws.lead_to(f"http://127.0.0.1:{free_port()}")
        answers = [
            await auth.get(KEYS, admin),
            await auth.post(f"{KEYS}/rotate", admin),
            await auth.post(f"{KEYS}/{kid}/distrust", admin),
        ]
        assert [(answer.status_code, problem(answer)) for answer in answers] == [(503, "unavailable")] * 3
        assert all(int(answer.headers["retry-after"]) >= 1 for answer in answers)
        assert await auth.accepts(admin)
