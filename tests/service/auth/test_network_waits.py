"""How many network waits in a row each request makes. docs/explanation/request-walk.md says the same numbers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import httpx
import pytest

from services.auth.domain.grant_types import TOKEN_EXCHANGE
from services.auth.domain.token_exchange import ACCESS_TOKEN_TYPE, API_KEY_TYPE
from shared import clock
from tests.service.auth.conftest import MakeSettings
from tests.service.auth.running import Auth, running
from tests.service.auth.slow_link import SlowLink
from tests.support.browser_pages import Browser, Pkce, answer_of, authorize_url
from tests.support.clients import exchanging
from tests.support.login_clients import HOME, login_client, register
from tests.support.waiting import eventually

DELAY_SECONDS = 0.15


@dataclass
class Slow:
    """An auth whose backends answer late, once `waits` counts."""

    auth: Auth
    links: tuple[SlowLink, SlowLink]

    async def waits(self, request: Callable[[], Awaitable[httpx.Response]]) -> int:
        """Waits in a row, by the time of the fastest of some tries."""
        seconds = []
        for _ in range(3):
            self._set_delay(DELAY_SECONDS)
            started = clock.monotonic()
            response = await request()
            seconds.append(clock.monotonic() - started)
            self._set_delay(0)
            assert response.is_success, response.text
        return int(min(seconds) / DELAY_SECONDS)

    def _set_delay(self, seconds: float) -> None:
        for link in self.links:
            link.delay_seconds = seconds


@pytest.fixture
async def slow(make_settings: MakeSettings, redis_url: str, aws_endpoint_url: str) -> AsyncIterator[Slow]:
    async with SlowLink(redis_url) as redis, SlowLink(aws_endpoint_url) as aws:
        settings = make_settings(redis_url=redis.url, aws_endpoint_url=aws.url)
        async with running(settings) as auth:
            await auth.until_it_hears()

            async def all_are_connected() -> bool:
                """Every connection that is needed is open before anything is counted."""
                logins = await asyncio.gather(*(auth.try_login("testuser", "testpass") for _ in range(4)))
                return all(login.is_success for login in logins)

            await eventually(all_are_connected)
            yield Slow(auth, (redis, aws))


async def test_a_login_waits_twice(slow: Slow) -> None:
    assert await slow.waits(lambda: slow.auth.try_login("testuser", "testpass")) == 2


async def test_a_refresh_waits_three_times(slow: Slow) -> None:
    """For the session, for what may forbid it, for the rotation: nothing that fails comes after that."""
    tokens = [(await slow.auth.login())["refresh_token"] for _ in range(3)]
    assert await slow.waits(lambda: slow.auth.refresh(tokens.pop())) == 3


async def test_who_am_i_waits_for_nothing(slow: Slow) -> None:
    token = (await slow.auth.login())["token"]
    assert await slow.waits(lambda: slow.auth.get("/api/me", token)) == 0


async def test_a_logout_waits_three_times(slow: Slow) -> None:
    """For the session, for its end and revocation in one transaction, for the announcement."""
    tokens = [(await slow.auth.login())["token"] for _ in range(3)]
    await slow.auth.post("/api/logout", (await slow.auth.login())["token"])
    assert await slow.waits(lambda: slow.auth.post("/api/logout", tokens.pop())) == 3


async def test_a_list_of_sessions_waits_once(slow: Slow) -> None:
    token = (await slow.auth.login())["token"]
    assert await slow.waits(lambda: slow.auth.get("/api/sessions", token)) == 1


async def test_a_clients_token_waits_for_nothing_while_the_client_is_remembered(slow: Slow) -> None:
    assert await slow.waits(slow.auth.client_token) == 0


async def test_the_keys_wait_for_nothing(slow: Slow) -> None:
    assert await slow.waits(lambda: slow.auth.http.get("/.well-known/jwks.json")) == 0


async def test_an_api_key_waits_twice_and_a_token_that_is_exchanged_for_nothing(slow: Slow) -> None:
    auth, token = slow.auth, (await slow.auth.login())["token"]
    key = (await auth.post("/api/api-keys", token, {"name": "Reports"})).json()["api_key"]
    await auth.register(exchanging())
    forms = [
        {"grant_type": TOKEN_EXCHANGE, "subject_token": subject, "subject_token_type": kind}
        for subject, kind in ((key, API_KEY_TYPE), (token, ACCESS_TOKEN_TYPE))
    ]

    def by_key() -> Awaitable[httpx.Response]:
        return auth.http.post("/oauth2/token", data=forms[0])

    def by_token() -> Awaitable[httpx.Response]:
        return auth.http.post("/oauth2/token", data=forms[1], auth=("gateway", "secret"))

    assert (await by_token()).is_success
    assert await slow.waits(by_token) == 0
    assert await slow.waits(by_key) == 2


async def test_a_browsers_login_waits_twice_and_a_consent_three_times(slow: Slow) -> None:
    """A consent: for the browser's login, for what may forbid it, for the code. The client is remembered."""
    await register(slow.auth, login_client("spa", redirect_uris=(HOME,)))
    browser, url = Browser(slow.auth.http), authorize_url("spa", HOME, Pkce())
    login = await browser.get(url)
    cookies = dict(browser.cookies)

    async def log_in() -> httpx.Response:
        browser.cookies = dict(cookies)
        return await _led_on(browser.send(login, "log_in", username="testuser", password="testpass"))

    assert await slow.waits(log_in) == 2
    consent = await browser.get(url)
    assert await slow.waits(lambda: browser.get(url)) == 2
    assert await slow.waits(lambda: _led_on(browser.send(consent, "allow"))) == 3


async def test_a_code_waits_three_times(slow: Slow) -> None:
    await register(slow.auth, login_client("spa", redirect_uris=(HOME,)))
    browser, pkce = Browser(slow.auth.http), Pkce()
    consent = await browser.log_in(await browser.get(authorize_url("spa", HOME, pkce)))
    codes = [answer_of(await browser.send(consent, "allow"), HOME)["code"] for _ in range(3)]
    form = {"grant_type": "authorization_code", "client_id": "spa", "redirect_uri": HOME}

    async def redeem() -> httpx.Response:
        more = {"code": codes.pop(), "code_verifier": pkce.verifier}
        return await slow.auth.http.post("/oauth2/token", data=form | more)

    assert await slow.waits(redeem) == 3


async def _led_on(answer: Awaitable[httpx.Response]) -> httpx.Response:
    """The answer, once it is one that leads on, as a success."""
    response = await answer
    assert response.status_code == 303, response.text
    return httpx.Response(200)
