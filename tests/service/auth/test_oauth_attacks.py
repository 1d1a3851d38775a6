"""The attacks of RFC 9700 against the server's side of the authorization code grant, as an attacker would try them."""

import html
import re
from dataclasses import replace

import httpx
import pytest

from services.auth.domain.clients import Client
from services.auth.domain.grant_types import AUTHORIZATION_CODE
from services.auth.stores.authorization_codes import AuthorizationCodes
from services.auth.stores.clients import Clients
from shared import clock
from shared.ids import digest
from tests.service.auth.running import DEMO_CLIENT, Auth, oauth_error, problem
from tests.support.browser_pages import Browser, Pkce, answer_of, authorize_url, forms_of

HOME = "https://app.example/back"
APP = Client(
    client_id="app",
    name='<script>alert(1)</script> & "app"',
    secrets=(),
    auth_method="none",
    grant_types=frozenset({AUTHORIZATION_CODE}),
    redirect_uris=(HOME, "https://app.example/other"),
    scope=frozenset({"jobs:read"}),
    created_at=0,
)


@pytest.fixture(autouse=True)
async def _client(auth: Auth) -> None:
    await Clients(auth.resources.backends.dynamodb, auth.resources.settings.table_prefix).save(APP)


@pytest.fixture
def browser(auth: Auth) -> Browser:
    return Browser(auth.http)


async def asked(browser: Browser, **more: str | None) -> httpx.Response:
    return await browser.get(authorize_url("app", more.pop("redirect_uri", HOME) or "", Pkce(), **more))


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "https://app.example/back/",
        "https://app.example/back?x=1",
        "https://app.example/back#x",
        "https://app.example/BACK",
        "https://APP.example/back",
        "https://app.example:443/back",
        "https://app.example/x/../back",
        "https://app.example/b%61ck",
        "https://app.example/back\\.evil.test",
        "https://app.example/back%0d%0aLocation:%20https://evil.test",
        "https://app.example@evil.test/back",
        "https://app.example.evil.test/back",
        "https://evil.test/https://app.example/back",
        "http://app.example/back",
        "//app.example/back",
        "javascript:alert(1)//https://app.example/back",
        "data:text/html,https://app.example/back",
    ],
)
async def test_an_address_that_only_looks_like_a_registered_one_leads_nowhere(browser: Browser, uri: str) -> None:
    """Sections 4.1 and 4.11."""
    answer = await asked(browser, redirect_uri=uri)
    assert answer.status_code == 400
    assert "location" not in answer.headers
    assert not forms_of(answer)


@pytest.mark.parametrize("client_id", ["nobody", "", "app ", "APP", "app\0", "mayfly-login", DEMO_CLIENT[0]])
async def test_a_client_that_may_not_leads_nowhere(browser: Browser, client_id: str) -> None:
    answer = await browser.get(authorize_url(client_id, HOME, Pkce()))
    assert answer.status_code == 400
    assert "location" not in answer.headers


async def test_a_parameter_given_twice_is_refused(browser: Browser) -> None:
    url = authorize_url("app", HOME, Pkce())
    for more in ("&redirect_uri=https%3A%2F%2Fevil.test", "&client_id=other"):
        answer = await browser.get(url + more)
        assert answer.status_code == 400
        assert "location" not in answer.headers
    assert answer_of(await browser.get(url + "&state=other"), HOME)["error"] == "invalid_request"


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "id_token"}, "unsupported_response_type"),
        ({"response_type": "code token"}, "unsupported_response_type"),
        ({"response_type": "none"}, "unsupported_response_type"),
        ({"response_type": None}, "invalid_request"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"response_mode": "form_post"}, "invalid_request"),
        ({"response_mode": "web_message"}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge": "A" * 44}, "invalid_request"),
        ({"request": "eyJhbGciOiJub25lIn0.e30."}, "invalid_request"),
        ({"request_uri": "https://evil.test/request"}, "invalid_request"),
        ({"scope": "admin"}, "invalid_scope"),
        ({"scope": "jobs:read jobs:write"}, "invalid_scope"),
    ],
    ids=str,
)
async def test_what_would_weaken_the_grant_is_refused_and_said_to_whom_it_belongs(
    browser: Browser, more: dict[str, str | None], error: str
) -> None:
    """Sections 2.1.1, 2.1.2, 4.3, 4.8 and 4.17: no token in an address, no code without a proof key by S256."""
    answer = answer_of(await asked(browser, **more), HOME)
    assert answer["error"] == error
    assert answer["iss"] == "http://auth.test"  # section 4.4: no client takes it for another server's
    assert answer["state"] == "a state/&=?#"
    assert "code" not in answer


async def test_the_pages_can_not_be_framed_scripted_or_kept_and_tell_no_one_where_one_was(browser: Browser) -> None:
    """Sections 4.2, 4.3 and 4.16; and a client's name is text."""
    login = await asked(browser)
    consent = await browser.log_in(login)
    refused = await asked(browser, redirect_uri="https://evil.test/")
    for page in (login, consent, refused):
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "script-src" not in policy
        assert "unsafe" not in policy
        assert page.headers["x-frame-options"] == "DENY"
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["referrer-policy"] in {"no-referrer", "same-origin"}
        assert "<script" not in page.text
        assert "http://" not in page.text.replace("http://auth.test", "")
    assert "&lt;script&gt;" in consent.text


async def test_each_redirect_drops_what_was_typed(browser: Browser) -> None:
    """Section 4.12: 303, which every browser follows with a GET that has no body."""
    led_on = await browser.send(await asked(browser), "log_in", username="testuser", password="testpass")
    allowed = await browser.send(await browser.follow(led_on), "allow")
    for answer in (led_on, allowed):
        assert answer.status_code == 303
        assert "testpass" not in answer.headers["location"]
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"


async def test_the_cookie_is_for_this_server_alone(browser: Browser) -> None:
    login = await asked(browser)
    led_on = await browser.send(login, "log_in", username="testuser", password="testpass")
    for answer in (login, led_on):
        cookie = answer.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=lax" in cookie
        assert "domain=" not in cookie
    assert login.headers["set-cookie"].partition(";")[0] != led_on.headers["set-cookie"].partition(";")[0]


async def test_a_form_from_elsewhere_has_no_effect(auth: Auth, browser: Browser) -> None:
    """Section 4.7: login and consent can't be made to happen from another site, nor with another browser's form."""
    consent = await browser.log_in(await asked(browser))
    [form] = [form for form in forms_of(consent) if "allow" in form.steps]
    stranger = Browser(auth.http)
    theirs = next(iter(forms_of(await stranger.log_in(await asked(stranger), "alice", "wonderland-demo"))))
    for fields, headers in (
        (form.fields, {"origin": "https://evil.test"}),
        (form.fields, {"origin": "null"}),
        ({**form.fields, "form_token": "made-up"}, {}),
        ({**form.fields, "form_token": theirs.fields["form_token"]}, {}),
        ({name: value for name, value in form.fields.items() if name != "form_token"}, {}),
    ):
        answer = await browser.post(form.action, {**fields, "step": "allow"}, **headers)
        assert (answer.status_code, "location" in answer.headers) == (403, False)


async def test_a_consent_is_for_the_client_that_the_page_named(auth: Auth, browser: Browser) -> None:
    """The form can't be sent on for another address or scope: both are read anew, and checked anew."""
    consent = await browser.log_in(await asked(browser))
    [form] = [form for form in forms_of(consent) if "allow" in form.steps]
    evil = form.action.replace("app.example", "evil.test")
    assert (await browser.post(evil, {**form.fields, "step": "allow"})).status_code == 400
    more = form.action.replace("jobs%3Aread", "admin")
    assert answer_of(await browser.post(more, {**form.fields, "step": "allow"}), HOME)["error"] == "invalid_scope"


@pytest.mark.parametrize("grant", ["password", "implicit", "urn:ietf:params:oauth:grant-type:saml2-bearer", "", "nil"])
async def test_a_grant_that_has_had_its_day_is_not_spoken(auth: Auth, grant: str) -> None:
    """Section 2.4."""
    form = {"grant_type": grant, "username": "testuser", "password": "testpass"}
    answer = await auth.http.post("/oauth2/token", data=form, auth=DEMO_CLIENT)
    assert oauth_error(answer) in {"unsupported_grant_type", "invalid_request"}


async def test_a_verifier_where_there_was_no_challenge_proves_nothing(auth: Auth) -> None:
    """Section 4.8: the downgrade has no first step, as no code is given without a challenge; a made-up code is none."""
    form = {"grant_type": "authorization_code", "code": "x" * 43, "redirect_uri": HOME, "client_id": "app"}
    assert oauth_error(await auth.http.post("/oauth2/token", data=form)) == "invalid_request"
    answer = await auth.http.post("/oauth2/token", data={**form, "code_verifier": "v" * 43})
    assert oauth_error(answer) == "invalid_grant"


async def test_a_clients_own_token_is_never_taken_for_a_users(auth: Auth) -> None:
    """Section 4.15: clients are named by this server's rules, and their tokens say nothing of a user or a session."""
    token = (await auth.client_token()).json()["access_token"]
    me = (await auth.get("/api/me", token)).json()
    assert me["user_id"] == DEMO_CLIENT[0]
    assert not me["roles"]
    assert problem(await auth.get("/api/sessions", token)) == "login-needed"


async def test_the_metadata_offers_nothing_weak(auth: Auth) -> None:
    """Sections 2.1.1 and 2.6: what is not offered there is refused everywhere above."""
    metadata = (await auth.http.get("/.well-known/oauth-authorization-server")).json()
    assert metadata["response_types_supported"] == ["code"]
    assert metadata["code_challenge_methods_supported"] == ["S256"]
    assert metadata["authorization_response_iss_parameter_supported"] is True
    assert {"password", "implicit"}.isdisjoint(metadata["grant_types_supported"])


async def test_the_login_page_lets_password_managers_work(browser: Browser) -> None:
    page = (await asked(browser)).text
    assert re.search(r'<input [^>]*name="username"[^>]*autocomplete="username"', page)
    assert re.search(r'<input [^>]*name="password" type="password"[^>]*autocomplete="current-password"', page)
    assert not re.search(r"\son[a-z]+=|<script", page)  # nothing could stop a paste


async def test_the_consent_says_to_whom_and_what(browser: Browser) -> None:
    page = (await browser.log_in(await asked(browser))).text
    assert html.escape(APP.name, quote=True).replace("&quot;", "&#34;") in page
    assert "see your jobs and their results" in page
    assert "app.example" in page
    assert "testuser" in page


async def test_a_code_lives_a_minute(auth: Auth, browser: Browser) -> None:
    pkce = Pkce()
    consent = await browser.log_in(await browser.get(authorize_url("app", HOME, pkce)))
    code = answer_of(await browser.send(consent, "allow"), HOME)["code"]
    codes = AuthorizationCodes(auth.resources.backends.dynamodb, auth.resources.settings.table_prefix)
    stored = await codes.get(digest(code))
    assert stored is not None
    assert 55 <= stored.good_until - clock.now() <= 60
    await codes.save(replace(stored, good_until=int(clock.now()) - 1))
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": HOME, "client_id": "app"}
    answer = await auth.http.post("/oauth2/token", data={**form, "code_verifier": pkce.verifier})
    assert oauth_error(answer) == "invalid_grant"
    assert "expired" in answer.json()["error_description"]
