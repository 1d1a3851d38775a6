"""A device without a browser is let in (RFC 8628), with each step at another instance."""

import asyncio
from dataclasses import replace

import httpx
import pytest

from services.auth.domain.grant_types import AUTHORIZATION_CODE, DEVICE_CODE
from services.auth.stores.code_attempts import MOST_BY_USER
from services.auth.stores.device_authorizations import DeviceAuthorizations
from shared import clock
from tests.service.auth.conftest import MakeSettings
from tests.service.auth.running import Auth, oauth_error, running
from tests.support.browser_pages import Browser, forms_of
from tests.support.login_clients import login_client, register
from tests.support.waiting import eventually

PAGE = "/oauth2/device"


@pytest.fixture(autouse=True)
async def _clients(auth: Auth) -> None:
    await register(
        auth,
        login_client("tv", name="The <i>TV</i>"),
        login_client("other"),
        login_client("web"),
        login_client("spa", grant_types=frozenset({AUTHORIZATION_CODE})),
        login_client("admins", scope=frozenset({"admin"})),
    )


@pytest.fixture
def browser(auth: Auth) -> Browser:
    return Browser(auth.http)


async def begin(auth: Auth, client_id: str = "tv", **more: str) -> dict[str, str]:
    response = await auth.http.post("/oauth2/device_authorization", data={"client_id": client_id, **more})
    assert response.status_code == 200, response.text
    assert response.headers["cache-control"] == "no-store"
    begun: dict[str, str] = response.json()
    return begun


async def ask(auth: Auth, begun: dict[str, str], client_id: str = "tv") -> httpx.Response:
    form = {"grant_type": DEVICE_CODE, "device_code": begun["device_code"], "client_id": client_id}
    return await auth.http.post("/oauth2/token", data=form)


async def enter(browser: Browser, user_code: str) -> httpx.Response:
    page = await browser.get(PAGE)
    if "password" in page.text:
        page = await browser.log_in(page)
    return await browser.send(page, "find", user_code=user_code)


async def change(auth: Auth, begun: dict[str, str], **changes: object) -> None:
    """As if time had gone by."""
    store = DeviceAuthorizations(auth.resources.backends.dynamodb, auth.resources.settings.table_prefix)
    row = await store.get(begun["device_code"].partition(".")[0])
    assert row is not None
    await auth.resources.backends.dynamodb.delete_item(
        TableName=f"{auth.resources.settings.table_prefix}device-authorizations",
        Key={"code_hash": {"S": row.code_hash}},
    )
    await store.add(replace(row, **changes))  # type: ignore[arg-type]  # a type per field


async def test_a_device_is_let_in_by_the_code_that_it_shows(auth: Auth, other_auth: Auth, browser: Browser) -> None:
    begun = await begin(auth, scope="jobs:read")
    assert begun["verification_uri"] == f"http://auth.test{PAGE}"
    assert begun["verification_uri_complete"].endswith(f"?user_code={begun['user_code']}")
    assert oauth_error(await ask(other_auth, begun)) == "authorization_pending"
    consent = await enter(browser, begun["user_code"].lower().replace("-", " "))
    browser.move_to(other_auth.http)
    done = await browser.send(consent, "allow")
    assert "Your device is let in" in done.text
    tokens = (await ask(auth, begun)).json()
    me = (await other_auth.get("/api/me", tokens["access_token"])).json()
    assert (me["client_id"], me["username"], me["scope"]) == ("tv", "testuser", "jobs:read")
    assert (await auth.refresh(tokens["refresh_token"], client_id="tv")).status_code == 200


async def test_the_user_sees_who_asks_and_from_where(auth: Auth, browser: Browser) -> None:
    begun = await begin(auth, scope="jobs:read")
    text = (await enter(browser, begun["user_code"])).text
    for said in ("The &lt;i&gt;TV&lt;/i&gt;", "see your jobs and their results", "192.0.2.7", begun["user_code"]):
        assert said in text
    assert "<i>" not in text
    assert "administer" not in text


async def test_a_code_in_the_address_is_only_filled_in(auth: Auth, browser: Browser) -> None:
    begun = await begin(auth)
    address = begun["verification_uri_complete"].removeprefix("http://auth.test")
    page = await browser.log_in(await browser.get(address))
    assert forms_of(page)[0].fields["user_code"] == begun["user_code"]
    assert oauth_error(await ask(auth, begun)) == "authorization_pending"


async def test_a_device_that_asks_too_often_is_slowed_down_for_good(auth: Auth) -> None:
    begun = await begin(auth)
    said = [oauth_error(await ask(auth, begun)) for _ in range(3)]
    assert said == ["authorization_pending", "slow_down", "slow_down"]
    await change(auth, begun, asked_at_ms=int((clock.now() - 6) * 1000), interval_seconds=15)
    assert oauth_error(await ask(auth, begun)) == "slow_down"


async def test_the_user_says_no(auth: Auth, browser: Browser) -> None:
    begun = await begin(auth)
    done = await browser.send(await enter(browser, begun["user_code"]), "deny")
    assert "not let in" in done.text
    assert oauth_error(await ask(auth, begun)) == "access_denied"


async def test_nobody_decided_in_time(auth: Auth, browser: Browser) -> None:
    begun = await begin(auth)
    consent = await enter(browser, begun["user_code"])
    await change(auth, begun, good_until=int(clock.now()) - 1)
    assert oauth_error(await ask(auth, begun)) == "expired_token"
    assert "No device waits with this code" in (await browser.send(consent, "allow")).text
    assert oauth_error(await ask(auth, begun)) == "expired_token"


async def test_what_was_decided_stays(auth: Auth, browser: Browser) -> None:
    begun = await begin(auth)
    consent = await enter(browser, begun["user_code"])
    await browser.send(consent, "deny")
    assert "No device waits with this code" in (await browser.send(consent, "allow")).text
    assert oauth_error(await ask(auth, begun)) == "access_denied"


async def test_of_many_uses_of_a_device_code_one_begins_a_session_and_it_ends(
    auth: Auth, other_auth: Auth, browser: Browser
) -> None:
    begun = await begin(auth)
    await browser.send(await enter(browser, begun["user_code"]), "allow")
    uses = await asyncio.gather(*(ask((auth, other_auth)[turn % 2], begun) for turn in range(6)))
    won = [use.json() for use in uses if use.status_code == 200]
    assert len(won) == 1
    assert {oauth_error(use) for use in uses if use.status_code != 200} == {"invalid_grant"}
    assert not await auth.accepts(won[0]["access_token"])


async def test_a_device_code_is_for_its_client_and_its_device(auth: Auth, browser: Browser) -> None:
    begun, another = await begin(auth), await begin(auth)
    await browser.send(await enter(browser, begun["user_code"]), "allow")
    assert oauth_error(await ask(auth, begun, "other")) == "invalid_grant"
    crossed = begun["device_code"].partition(".")[0] + "." + another["device_code"].partition(".")[2]
    for code in (crossed, begun["user_code"], "x" * 3000, begun["device_code"] + "A"):
        assert oauth_error(await ask(auth, {"device_code": code})) == "invalid_grant"
    assert (await ask(auth, begun)).status_code == 200


async def test_what_was_revoked_after_the_consent_begins_no_session(auth: Auth, browser: Browser) -> None:
    begun = await begin(auth)
    await browser.send(await enter(browser, begun["user_code"]), "allow")
    admin = (await auth.login("admin", "admin-demo-only"))["token"]
    await auth.post("/api/admin/revocations", admin, {"kind": "client", "value": "tv"})
    assert oauth_error(await ask(auth, begun)) == "invalid_grant"


async def test_clients_are_known_and_registered_for_it(auth: Auth) -> None:
    post = auth.http.post
    assert oauth_error(await post("/oauth2/device_authorization", data={"client_id": "nobody"})) == "invalid_client"
    assert oauth_error(await post("/oauth2/device_authorization", data={"client_id": "web"})) == "invalid_client"
    assert oauth_error(await post("/oauth2/device_authorization", data={"client_id": "spa"})) == "unauthorized_client"
    assert oauth_error(await post("/oauth2/device_authorization", data={"scope": "jobs:read"})) == "invalid_client"
    form = {"client_id": "tv", "scope": "openid"}
    assert oauth_error(await post("/oauth2/device_authorization", data=form)) == "invalid_scope"


async def test_a_user_who_may_nothing_of_it_is_told_so(auth: Auth, browser: Browser) -> None:
    begun = await begin(auth, "admins")
    assert "you may not do yourself" in (await enter(browser, begun["user_code"])).text
    assert oauth_error(await ask(auth, begun, "admins")) == "authorization_pending"


async def test_codes_can_not_be_tried_out(auth: Auth, other_auth: Auth, browser: Browser) -> None:
    begun = await begin(auth)
    page = await browser.log_in(await browser.get(PAGE))
    for _ in range(MOST_BY_USER):
        assert "No device waits" in (await browser.send(page, "find", user_code="BBBB-BBBB")).text
    browser.move_to(other_auth.http)
    refused = await browser.send(page, "find", user_code=begun["user_code"])
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["retry-after"]) <= 600
    assert "Too many codes" in refused.text


@pytest.mark.parametrize(
    "typed", ["", "AEIO-UAEI", "WDJB", "WDJB-MJHT-X", "<script>", "ẞ" * 8, "1" * 3000, "BBBBBBB\u0301B"]
)
async def test_what_can_be_no_code_is_shown_again_as_text(auth: Auth, browser: Browser, typed: str) -> None:
    page = await enter(browser, typed)
    assert page.status_code == 200
    assert "No device waits with this code" in page.text
    assert "<script" not in page.text


async def test_nobody_who_is_logged_out_meanwhile_decides(auth: Auth, browser: Browser) -> None:
    begun = await begin(auth)
    consent = await enter(browser, begun["user_code"])
    admin = (await auth.login("admin", "admin-demo-only"))["token"]
    await auth.post("/api/admin/revocations", admin, {"kind": "user", "value": "user_testuser"})
    assert "password" in (await browser.send(consent, "allow")).text
    assert oauth_error(await ask(auth, begun)) == "authorization_pending"


async def test_devices_at_one_address_begin_no_faster_than_is_allowed(make_settings: MakeSettings, auth: Auth) -> None:
    async with running(make_settings(device_starts_per_second=1)) as slow:
        await begin(slow)
        refused = await slow.http.post("/oauth2/device_authorization", data={"client_id": "tv"})
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
        await begin(auth)


async def test_every_decision_about_a_device_is_in_the_trail(auth: Auth, browser: Browser) -> None:
    begun = await begin(auth)
    await enter(browser, "BBBB-BBBB")
    await browser.send(await enter(browser, begun["user_code"]), "allow")
    await ask(auth, begun)
    await ask(auth, begun)
    token = (await auth.login("admin", "admin-demo-only"))["token"]
    wanted = {"browser-login", "user-code", "device-authorization", "device-code", "device-code-reuse"}

    async def written() -> bool:
        entries = (await auth.get("/api/audit?user_id=user_testuser", token)).json()["entries"]
        assert begun["user_code"] not in str(entries)
        return wanted <= {entry["event"] for entry in entries}

    await eventually(written)


async def test_another_sites_form_decides_nothing_about_a_device(auth: Auth, browser: Browser) -> None:
    begun = await begin(auth)
    consent = await enter(browser, begun["user_code"])
    form = next(form for form in forms_of(consent) if "allow" in form.steps)
    refused = await browser.post(form.action, {**form.fields, "step": "allow"}, origin="https://evil.example")
    assert refused.status_code == 403
    assert oauth_error(await ask(auth, begun)) == "authorization_pending"
