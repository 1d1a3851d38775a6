"""Logins at auth's own pages: how they begin and end, what stands in their way, and what is shown meanwhile."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from shared.testing.ports import free_port
from shared.testing.valkey import Valkey
from tests.service.auth.conftest import MakeSettings
from tests.service.auth.running import Auth, running
from tests.support.browser_pages import Browser, Pkce, answer_of, authorize_url, forms_of
from tests.support.login_clients import HOME, login_client, register

PAGES = ["/oauth2/device", authorize_url("spa", HOME, Pkce())]
both_pages = pytest.mark.parametrize("page", PAGES, ids=["device", "authorize"])


@pytest.fixture(autouse=True)
async def _clients(auth: Auth) -> None:
    await register(auth, login_client("spa", redirect_uris=(HOME,)), login_client("admins", scope=frozenset({"admin"})))


@pytest.fixture
def browser(auth: Auth) -> Browser:
    return Browser(auth.http)


def asks_login(response: httpx.Response) -> bool:
    return 'name="password"' in response.text


async def admin_does(auth: Auth, path: str, body: object = None, method: str = "POST") -> None:
    token = (await auth.login("admin", "admin-demo-only"))["token"]
    response = await auth.http.request(method, path, json=body, headers={"authorization": f"Bearer {token}"})
    assert response.is_success, response.text


@both_pages
async def test_a_login_lasts_for_this_browser_at_each_page(browser: Browser, page: str) -> None:
    await browser.log_in(await browser.get(page))
    for other in PAGES:
        assert not asks_login(await browser.get(other))
    assert asks_login(await Browser(browser.http).get(page))


@both_pages
async def test_a_login_gives_the_browser_a_new_cookie_and_spoils_the_old(browser: Browser, page: str) -> None:
    """A cookie that a stranger has planted is worth nothing afterwards, and what was typed stands in no address."""
    login = await browser.get(page)
    planted = browser.cookies["mayfly"]
    led_on = await browser.send(login, "log_in", username="testuser", password="testpass")
    assert "testuser" not in led_on.headers["location"]
    assert browser.cookies["mayfly"] != planted
    first = browser.cookies["mayfly"]
    browser.cookies["mayfly"] = planted
    assert asks_login(await browser.get(page))
    browser.cookies["mayfly"] = first
    await browser.log_in(await browser.get(authorize_url("spa", HOME, Pkce(), prompt="login")))
    browser.cookies["mayfly"] = first
    assert asks_login(await browser.get(page))


@both_pages
async def test_somebody_else_can_log_in(browser: Browser, page: str) -> None:
    inside = await browser.log_in(await browser.get(page))
    before = browser.cookies["mayfly"]
    login = await browser.follow(await browser.send(inside, "log_out"))
    assert asks_login(login)
    browser.cookies["mayfly"] = before
    assert asks_login(await browser.get(page))
    assert "alice" in (await browser.log_in(await browser.get(page), "alice", "wonderland-demo")).text


@pytest.mark.parametrize(
    ("path", "body", "method"),
    [
        ("/api/admin/revocations", {"kind": "user", "value": "user_testuser"}, "POST"),
        ("/api/users/user_testuser/revoke", None, "POST"),
        ("/api/users/user_testuser", {"disabled": True}, "PATCH"),
        ("/api/users/user_testuser", None, "DELETE"),
    ],
)
async def test_what_ends_a_users_sessions_ends_the_login_at_the_pages(
    auth: Auth, browser: Browser, path: str, body: object, method: str
) -> None:
    consent = await browser.log_in(await browser.get(PAGES[1]))
    await admin_does(auth, path, body, method)
    assert asks_login(await browser.send(consent, "allow"))
    assert asks_login(await browser.get(PAGES[1]))


async def test_a_new_password_ends_the_login_at_the_pages(auth: Auth, browser: Browser) -> None:
    consent = await browser.log_in(await browser.get(PAGES[1]))
    token = (await auth.login())["token"]
    body = {"current_password": "testpass", "new_password": "another-password"}
    assert (await auth.post("/api/me/password", token, body)).is_success
    assert asks_login(await browser.send(consent, "allow"))


async def test_a_login_ends_by_itself(auth: Auth, browser: Browser) -> None:
    await browser.log_in(await browser.get(PAGES[1]))
    table = f"{auth.resources.settings.table_prefix}browser-sessions"
    dynamodb = auth.resources.backends.dynamodb
    [row] = (await dynamodb.scan(TableName=table))["Items"]
    assert browser.cookies["mayfly"] not in str(row)
    await dynamodb.put_item(TableName=table, Item={**row, "expires_at": {"N": "1"}})
    assert asks_login(await browser.get(PAGES[1]))


@both_pages
async def test_wrong_passwords_count_wherever_they_are_typed(auth: Auth, browser: Browser, page: str) -> None:
    login = await browser.get(page)
    for _ in range(5):
        refused = await browser.send(login, "log_in", username="testuser", password="wrong")
        assert refused.status_code == 401
        assert 'role="alert"' in refused.text
        assert 'value="testuser"' in refused.text
        assert "wrong" not in refused.text.replace("wrong password", "")
    assert (await auth.try_login("testuser", "testpass")).status_code == 429
    late = await browser.send(login, "log_in", username="testuser", password="testpass")
    assert (late.status_code, late.headers["retry-after"]) == (429, "1")
    assert asks_login(late)


@both_pages
@pytest.mark.parametrize(
    ("username", "password"),
    [("", ""), ("testuser", ""), ("x" * 129, "p"), ("testuser", "p" * 3000), ("<script>alert(1)</script>", "p")],
)
async def test_odd_credentials_are_wrong_ones(browser: Browser, page: str, username: str, password: str) -> None:
    refused = await browser.send(await browser.get(page), "log_in", username=username, password=password)
    assert refused.status_code == 401
    assert "<script" not in refused.text


@both_pages
async def test_a_form_that_is_not_ours_has_no_effect(browser: Browser, page: str) -> None:
    form = forms_of(await browser.get(page))[0]
    fields = {**form.fields, "step": "log_in", "username": "testuser", "password": "testpass"}
    own_cookie = dict(browser.cookies)
    for changed, headers in (
        ({"form_token": ""}, {}),
        ({"form_token": "ÿ" * 43}, {}),
        ({}, {"origin": "https://evil.example"}),
        ({}, {"origin": "null"}),
        ({}, {"origin": "http://auth.test.evil.example"}),
    ):
        refused = await browser.post(form.action, {**fields, **changed}, **headers)
        assert refused.status_code == 403
        assert "out of date" in refused.text
    for cookies in ({}, {"mayfly": "f." + "A" * 43}, {"mayfly": "s." + "A" * 43}, {"mayfly": "x"}):
        browser.cookies = dict(cookies)
        assert (await browser.post(form.action, fields)).status_code == 403
    browser.cookies = own_cookie
    assert (await browser.post(form.action, fields)).status_code == 303


async def test_a_browser_that_names_no_origin_says_where_the_form_stood(browser: Browser) -> None:
    form = forms_of(await browser.get(PAGES[0]))[0]
    fields = {**form.fields, "step": "log_in", "username": "testuser", "password": "wrong"}
    cookie = {"cookie": f"mayfly={browser.cookies['mayfly']}"}
    for site, status in (("cross-site", 403), ("same-site", 403), ("same-origin", 401)):
        headers = cookie | {"sec-fetch-site": site}
        assert (await browser.http.post(form.action, data=fields, headers=headers)).status_code == status


async def test_over_tls_no_neighbour_can_set_the_cookie(make_settings: MakeSettings) -> None:
    async with running(make_settings(issuer="https://auth.test")) as auth:
        [cookie] = (await auth.http.get("/oauth2/device")).headers.get_list("set-cookie")
        assert cookie.startswith("__Host-mayfly=f.")
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=lax"} == set(cookie.split("; ")[1:])


@pytest.mark.parametrize("prompt", ["login", "select_account", "consent login"])
async def test_a_client_may_want_a_new_login(browser: Browser, prompt: str) -> None:
    await browser.log_in(await browser.get(PAGES[1]))
    login = await browser.get(authorize_url("spa", HOME, Pkce(), prompt=prompt))
    assert asks_login(login)
    assert "code" in answer_of(await browser.send(await browser.log_in(login), "allow"), HOME)


async def test_without_a_page_nobody_is_let_in(browser: Browser) -> None:
    silent = authorize_url("spa", HOME, Pkce(), prompt="none")
    assert answer_of(await browser.get(silent), HOME)["error"] == "login_required"
    await browser.log_in(await browser.get(PAGES[1]))
    assert answer_of(await browser.get(silent), HOME)["error"] == "consent_required"
    mixed = authorize_url("spa", HOME, Pkce(), prompt="none login")
    assert answer_of(await browser.get(mixed), HOME)["error"] == "invalid_request"


@pytest.mark.parametrize("logged_in", [True, False])
async def test_the_user_says_no_and_the_client_is_told(browser: Browser, logged_in: bool) -> None:
    page = await browser.get(PAGES[1])
    page = await browser.log_in(page) if logged_in else page
    answer = answer_of(await browser.send(page, "deny"), HOME)
    assert (answer["error"], answer["state"], answer["iss"]) == ("access_denied", "a state/&=?#", "http://auth.test")


async def test_who_may_nothing_of_it_is_not_asked(browser: Browser) -> None:
    led_back = await browser.log_in(await browser.get(authorize_url("admins", HOME, Pkce(), scope="admin")))
    assert answer_of(led_back, HOME)["error"] == "access_denied"


@pytest.mark.parametrize("state", ["x" * 3000, '"><script>alert(1)</script>', "ä€😀", "a b+c%20", "'; form-action *"])
async def test_a_state_comes_back_as_it_was(browser: Browser, state: str) -> None:
    consent = await browser.log_in(await browser.get(authorize_url("spa", HOME, Pkce(), state=state)))
    assert "<script" not in consent.text
    assert answer_of(await browser.send(consent, "allow"), HOME)["state"] == state


async def test_an_endless_state_is_refused(browser: Browser) -> None:
    answer = answer_of(await browser.get(authorize_url("spa", HOME, Pkce(), state="x" * 4097)), HOME)
    assert answer["error"] == "invalid_request"


async def test_a_request_may_come_as_a_form_and_goes_on_as_a_link(browser: Browser) -> None:
    fields = dict(httpx.QueryParams(PAGES[1].partition("?")[2]))
    led_on = await browser.post("/oauth2/authorize", {**fields, "extra": "left out"}, origin="https://app.example")
    assert "extra" not in led_on.headers["location"]
    assert asks_login(await browser.follow(led_on))


@pytest.mark.parametrize("query", ["%ff", "a=%00&client_id=spa%00", "&".join(f"p{n}=1" for n in range(60))])
async def test_a_query_that_can_not_be_read_is_a_page(browser: Browser, query: str) -> None:
    for path in ("/oauth2/authorize", "/oauth2/device"):
        response = await browser.get(f"{path}?{query}")
        assert response.status_code in {200, 400}
        assert response.headers["content-type"] == "text/html; charset=utf-8"


@both_pages
async def test_whatever_is_refused_there_is_a_page(browser: Browser, page: str) -> None:
    form = forms_of(await browser.get(page))[0]
    refused = [
        await browser.http.request("PUT", page),
        await browser.post(form.action, {**form.fields, "step": "nonsense"}),
        await browser.http.post(page, content=b"{}", headers={"content-type": "application/json"}),
        await browser.http.post(
            page, content=b"step=a&step=b", headers={"content-type": "application/x-www-form-urlencoded"}
        ),
        await browser.http.post(page, content=b"x" * 2_000_000),
    ]
    assert [response.status_code for response in refused] == [405, 400, 400, 400, 413]
    for response in refused:
        assert response.headers["content-type"] == "text/html; charset=utf-8"
        assert response.headers["content-security-policy"].startswith("default-src 'none';")


@pytest.fixture
async def redis(tmp_path: Path) -> AsyncIterator[Valkey]:
    async with Valkey(tmp_path) as server:
        yield server


@both_pages
@pytest.mark.parametrize("how", ["down", "hung"])
async def test_without_redis_nobody_may_try_a_password(
    make_settings: MakeSettings, redis: Valkey, how: str, page: str
) -> None:
    async with running(make_settings(redis_url=redis.url)) as frail:
        browser = Browser(frail.http)
        login = await browser.get(page)
        redis.pause() if how == "hung" else await redis.kill()
        refused = await browser.send(login, "log_in", username="testuser", password="testpass")
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        assert refused.headers["content-type"] == "text/html; charset=utf-8"
        assert (await browser.get(page)).status_code == 200
        if how == "hung":
            redis.resume()


async def test_without_dynamodb_nothing_is_decided(make_settings: MakeSettings, browser: Browser) -> None:
    consent = await browser.log_in(await browser.get(PAGES[1]))
    nowhere = f"http://127.0.0.1:{free_port()}"
    async with running(make_settings(aws_endpoint_url=nowhere)) as cut_off:
        await cut_off.until_it_hears()
        browser.move_to(cut_off.http)
        for response in (
            await browser.get(PAGES[0]),
            await browser.get(PAGES[1]),
            await browser.send(consent, "allow"),
            await browser.send(consent, "deny"),
        ):
            assert (response.status_code, response.headers["retry-after"]) == (503, "1")
            assert "<h1>Not available right now</h1>" in response.text
        form = {"grant_type": "authorization_code", "code": "A" * 43, "code_verifier": "v" * 43, "client_id": "spa"}
        refused = await cut_off.http.post("/oauth2/token", data=form)
        assert (refused.status_code, refused.json()["error"]) == (503, "temporarily_unavailable")
        refused = await cut_off.http.post("/oauth2/device_authorization", data={"client_id": "spa"})
        assert (refused.status_code, refused.json()["error"]) == (503, "temporarily_unavailable")
