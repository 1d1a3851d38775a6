"""Authorization code and PKCE, from the client's link to its tokens; each step at another instance."""

import asyncio

import httpx
import pytest

from services.auth.domain.grant_types import AUTHORIZATION_CODE, REFRESH_TOKEN
from tests.service.auth.running import Auth, oauth_error
from tests.support.browser_pages import Browser, Pkce, answer_of, authorize_url
from tests.support.login_clients import HOME, SECRET, login_client, register


@pytest.fixture(autouse=True)
async def _clients(auth: Auth) -> None:
    await register(
        auth,
        *map(login_client, ("web", "spa", "other")),
        login_client("batch", grant_types=frozenset({REFRESH_TOKEN})),
        login_client("once", grant_types=frozenset({AUTHORIZATION_CODE}), redirect_uris=(HOME,)),
    )


@pytest.fixture
async def browser(auth: Auth) -> Browser:
    return Browser(auth.http)


async def code_of(browser: Browser, pkce: Pkce, client_id: str = "spa", **more: str | None) -> str:
    page = await browser.get(authorize_url(client_id, HOME, pkce, **more))
    if "password" in page.text:
        page = await browser.log_in(page)
    answer = answer_of(await browser.send(page, "allow"), HOME)
    assert answer["iss"] == "http://auth.test"
    return answer["code"]


async def redeem(
    auth: Auth, code: str, pkce: Pkce, client_id: str = "spa", secret: tuple[str, str] | None = None, **more: str
) -> httpx.Response:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": HOME,
        "code_verifier": pkce.verifier,
        "client_id": client_id,
        **more,
    }
    sent = {name: value for name, value in form.items() if value}
    return await auth.http.post("/oauth2/token", data=sent, auth=secret or httpx.USE_CLIENT_DEFAULT)


async def test_each_step_may_be_answered_by_another_instance(auth: Auth, other_auth: Auth, browser: Browser) -> None:
    pkce = Pkce()
    login = await browser.get(authorize_url("spa", HOME, pkce))
    browser.move_to(other_auth.http)
    led_on = await browser.send(login, "log_in", username="testuser", password="testpass")
    browser.move_to(auth.http)
    consent = await browser.follow(led_on)
    browser.move_to(other_auth.http)
    answer = answer_of(await browser.send(consent, "allow"), HOME)
    assert answer.keys() == {"from", "code", "state", "iss"}
    assert answer["state"] == "a state/&=?#"
    tokens = (await redeem(auth, answer["code"], pkce)).json()
    assert tokens["scope"] == "jobs:read"
    assert await other_auth.accepts(tokens["access_token"])
    assert (await other_auth.refresh(tokens["refresh_token"], client_id="spa")).status_code == 200


async def test_the_session_belongs_to_the_client(auth: Auth, browser: Browser) -> None:
    pkce = Pkce()
    tokens = (await redeem(auth, await code_of(browser, pkce), pkce)).json()
    me = (await auth.get("/api/me", tokens["access_token"])).json()
    assert (me["client_id"], me["username"], me["scope"]) == ("spa", "testuser", "jobs:read")
    assert oauth_error(await auth.refresh(tokens["refresh_token"])) == "invalid_grant"
    assert oauth_error(await auth.refresh(tokens["refresh_token"], client_id="other")) == "invalid_grant"


async def test_a_confidential_client_proves_who_it_is(auth: Auth, browser: Browser) -> None:
    pkce = Pkce()
    code = await code_of(browser, pkce, "web")
    assert oauth_error(await redeem(auth, code, pkce, "web")) == "invalid_client"
    assert (await redeem(auth, code, pkce, "", secret=SECRET)).status_code == 200


async def test_a_code_that_comes_again_ends_the_session_that_it_began(auth: Auth, browser: Browser) -> None:
    pkce = Pkce()
    code = await code_of(browser, pkce)
    tokens = (await redeem(auth, code, pkce)).json()
    assert oauth_error(await redeem(auth, code, pkce)) == "invalid_grant"
    assert not await auth.accepts(tokens["access_token"])
    assert oauth_error(await auth.refresh(tokens["refresh_token"], client_id="spa")) == "invalid_grant"


async def test_of_many_uses_of_one_code_at_once_one_begins_a_session_and_it_ends(
    auth: Auth, other_auth: Auth, browser: Browser
) -> None:
    pkce = Pkce()
    code = await code_of(browser, pkce)
    uses = await asyncio.gather(*(redeem((auth, other_auth)[turn % 2], code, pkce) for turn in range(10)))
    won = [use.json() for use in uses if use.status_code == 200]
    assert len(won) == 1
    assert {oauth_error(use) for use in uses if use.status_code != 200} == {"invalid_grant"}
    assert not await auth.accepts(won[0]["access_token"])


async def test_who_saw_a_code_can_neither_use_nor_spoil_it(auth: Auth, browser: Browser) -> None:
    pkce = Pkce()
    code = await code_of(browser, pkce)
    for stolen in (
        await redeem(auth, code, Pkce()),
        await redeem(auth, code, pkce, "other"),
        await redeem(auth, code, pkce, redirect_uri="http://127.0.0.1/callback"),
        await redeem(auth, code + "A", pkce),
        await redeem(auth, code, Pkce("short")),
    ):
        assert oauth_error(stolen) == "invalid_grant"
    assert oauth_error(await redeem(auth, code, pkce, code_verifier="")) == "invalid_request"
    assert oauth_error(await redeem(auth, code, pkce, redirect_uri="")) == "invalid_request"
    tokens = (await redeem(auth, code, pkce)).json()
    assert oauth_error(await redeem(auth, code, Pkce())) == "invalid_grant"
    assert await auth.accepts(tokens["access_token"])


async def test_what_was_revoked_after_the_consent_begins_no_session(auth: Auth, browser: Browser) -> None:
    pkce = Pkce()
    code = await code_of(browser, pkce)
    admin = (await auth.login("admin", "admin-demo-only"))["token"]
    await auth.post("/api/admin/revocations", admin, {"kind": "user", "value": "user_testuser"})
    assert oauth_error(await redeem(auth, code, pkce)) == "invalid_grant"


async def test_a_client_without_the_grant_for_refreshing_gets_no_refresh_token(auth: Auth, browser: Browser) -> None:
    pkce = Pkce()
    tokens = (await redeem(auth, await code_of(browser, pkce, "once"), pkce, "once")).json()
    assert "refresh_token" not in tokens


async def test_a_lone_redirect_uri_may_be_left_out(auth: Auth, browser: Browser) -> None:
    pkce = Pkce()
    code = await code_of(browser, pkce, "once", redirect_uri=None)
    assert (await redeem(auth, code, pkce, "once", redirect_uri="")).status_code == 200


async def test_a_programs_port_on_its_own_machine_is_free(auth: Auth, browser: Browser) -> None:
    pkce, home = Pkce(), "http://127.0.0.1:51004/callback"
    consent = await browser.log_in(await browser.get(authorize_url("spa", home, pkce)))
    code = answer_of(await browser.send(consent, "allow"), home)["code"]
    assert oauth_error(await redeem(auth, code, pkce)) == "invalid_grant"
    assert (await redeem(auth, code, pkce, redirect_uri=home)).status_code == 200


async def test_the_user_grants_no_more_than_the_user_may(auth: Auth, browser: Browser) -> None:
    pkce = Pkce()
    code = await code_of(browser, pkce, scope=None)
    assert (await redeem(auth, code, pkce)).json()["scope"] == "jobs:read jobs:write"
