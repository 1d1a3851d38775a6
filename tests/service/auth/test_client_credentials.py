import base64

import httpx
import pytest

from shared import clock
from tests.service.auth.conftest import MakeSettings
from tests.service.auth.running import DEMO_CLIENT, Auth, running
from tests.support.clients import registered

CLIENT_ID, SECRET = DEMO_CLIENT
FORM = {"grant_type": "client_credentials"}


def _refused(response: httpx.Response, status: int, error: str) -> None:
    body = response.json()
    assert (response.status_code, body["error"]) == (status, error)
    assert body.keys() == {"error", "error_description"}
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["pragma"] == "no-cache"


async def test_a_client_gets_a_token_of_its_own(auth: Auth) -> None:
    response = await auth.client_token()
    body = response.json()
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["pragma"] == "no-cache"
    assert body.keys() == {"access_token", "token_type", "expires_in", "scope"}
    claims = (await auth.resources.verifier.verify(body["access_token"])).claims
    assert (claims.sub, claims.client_id, claims.sid, claims.username) == (CLIENT_ID, CLIENT_ID, None, None)
    assert claims.scope == {"jobs:read", "jobs:write"}


async def test_the_secret_may_come_in_the_body(auth: Auth) -> None:
    form = FORM | {"client_id": CLIENT_ID, "client_secret": SECRET}
    assert (await auth.http.post("/oauth2/token", data=form)).status_code == 200


async def test_the_scope_may_be_narrowed(auth: Auth) -> None:
    assert (await auth.client_token(scope="jobs:write")).json()["scope"] == "jobs:write"


@pytest.mark.parametrize("scope", ["admin", "jobs:read admin", " jobs:read", "jobs:read,jobs:write"])
async def test_the_scope_is_never_widened(auth: Auth, scope: str) -> None:
    _refused(await auth.client_token(scope=scope), 400, "invalid_scope")


async def test_an_absent_scope_is_the_same_as_an_empty_one(auth: Auth) -> None:
    assert (await auth.client_token(scope="")).json()["scope"] == "jobs:read jobs:write"


@pytest.mark.parametrize("credentials", [(CLIENT_ID, "wrong"), ("nobody", SECRET), (CLIENT_ID, "")])
async def test_a_client_that_is_not_who_it_says_is_challenged(auth: Auth, credentials: tuple[str, str]) -> None:
    response = await auth.http.post("/oauth2/token", data=FORM, auth=credentials)
    _refused(response, 401, "invalid_client")
    assert response.headers["www-authenticate"].startswith("Basic ")


async def test_a_wrong_secret_in_the_body_gets_no_challenge(auth: Auth) -> None:
    for form in ({"client_id": CLIENT_ID, "client_secret": "wrong"}, {"client_id": CLIENT_ID}, {}):
        response = await auth.http.post("/oauth2/token", data=FORM | form)
        _refused(response, 401, "invalid_client")
        assert "www-authenticate" not in response.headers


@pytest.mark.parametrize("client_id", ["x" * 129, "ü" * 3000, "\u202e", "../../x"])
async def test_a_client_id_that_nobody_has_is_an_invalid_client(auth: Auth, client_id: str) -> None:
    form = FORM | {"client_id": client_id, "client_secret": SECRET}
    _refused(await auth.http.post("/oauth2/token", data=form), 401, "invalid_client")
    form = {"grant_type": "refresh_token", "refresh_token": "x", "client_id": client_id}
    assert (await auth.http.post("/oauth2/token", data=form)).json()["error"] in {"invalid_client", "invalid_grant"}


@pytest.mark.parametrize(
    "value",
    ["Basic", "Basic !!!", "Basic " + base64.b64encode(b"no-colon").decode(), "Bearer x", "Basic " + "A" * 3000]
    + ["Basic " + base64.b64encode(text).decode() for text in (b"\xff:\xff", b":secret", b"a%00:b", b"%ff:x")],
)
async def test_a_broken_authorization_header_is_an_invalid_client(auth: Auth, value: str) -> None:
    response = await auth.http.post("/oauth2/token", data=FORM, headers={"authorization": value})
    _refused(response, 401, "invalid_client")


async def test_two_ways_to_authenticate_at_once_are_refused(auth: Auth) -> None:
    both = FORM | {"client_id": CLIENT_ID, "client_secret": SECRET}
    _refused(await auth.http.post("/oauth2/token", data=both, auth=DEMO_CLIENT), 400, "invalid_request")
    other = FORM | {"client_id": "another"}
    _refused(await auth.http.post("/oauth2/token", data=other, auth=DEMO_CLIENT), 400, "invalid_request")
    lone = FORM | {"client_secret": SECRET}
    _refused(await auth.http.post("/oauth2/token", data=lone), 400, "invalid_request")


async def test_basic_credentials_are_form_encoded(auth: Auth) -> None:
    """RFC 6749 §2.3.1."""
    await auth.register(registered("demo:ü", "s%c+ret"))
    header = base64.b64encode(b"demo%3A%C3%BC:s%25c%2Bret").decode()
    response = await auth.http.post("/oauth2/token", data=FORM, headers={"authorization": f"Basic {header}"})
    assert response.status_code == 200


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({}, "invalid_request"),
        ({"grant_type": ""}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "implicit"}, "unsupported_grant_type"),
        ({"grant_type": "refresh_token"}, "invalid_request"),
        ({"grant_type": "client_credentials\0"}, "invalid_request"),
    ],
)
async def test_a_request_that_makes_no_sense_is_refused(auth: Auth, form: dict[str, str], error: str) -> None:
    _refused(await auth.http.post("/oauth2/token", data=form), 400, error)


@pytest.mark.parametrize(
    "body",
    [
        b"grant_type=client_credentials&grant_type=client_credentials",
        b"grant_type=%ff",
        b"\xff\xfe",
        b"&".join(b"a%d=1" % number for number in range(60)),
    ],
)
async def test_a_form_that_can_not_be_read_is_refused(auth: Auth, body: bytes) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    _refused(await auth.http.post("/oauth2/token", content=body, headers=headers), 400, "invalid_request")


async def test_json_is_no_form(auth: Auth) -> None:
    _refused(await auth.http.post("/oauth2/token", json=FORM), 400, "invalid_request")


async def test_a_changed_client_that_is_revoked_gets_nothing_by_its_old_secret(auth: Auth, other_auth: Auth) -> None:
    """Although the other instance remembers the client's row for some seconds."""
    old = await other_auth.client_token()
    await auth.register(registered(CLIENT_ID, "a-new-secret"))
    admin = (await auth.login("admin", "admin-demo-only"))["token"]
    revoked = await auth.post("/api/admin/revocations", admin, {"kind": "client", "value": CLIENT_ID})
    assert revoked.status_code == 200
    late = await other_auth.client_token()
    for response in (old, late):
        if response.status_code == 200:
            assert not await auth.accepts(response.json()["access_token"])


async def test_a_revoked_client_may_come_again(auth: Auth) -> None:
    before = (await auth.client_token()).json()["access_token"]
    admin = (await auth.login("admin", "admin-demo-only"))["token"]
    await auth.post("/api/admin/revocations", admin, {"kind": "client", "value": CLIENT_ID})
    after = (await auth.client_token()).json()["access_token"]
    assert not await auth.accepts(before)
    assert await auth.accepts(after)


async def test_a_token_of_a_remembered_client_lives_no_longer_than_it_says(make_settings: MakeSettings) -> None:
    async with running(make_settings(access_ttl_seconds=86_400)) as auth:
        for _ in range(2):
            body = (await auth.client_token()).json()
            claims = (await auth.resources.verifier.verify(body["access_token"])).claims
            assert claims.exp - claims.iat == 86_400
            assert abs(clock.now() + body["expires_in"] - claims.exp) < 2


async def test_a_client_may_only_use_the_grants_that_it_is_registered_for(auth: Auth) -> None:
    response = await auth.http.post("/oauth2/token", data=FORM, auth=("mayfly-login", ""))
    _refused(response, 400, "unauthorized_client")
    login = await auth.login()
    form = {"grant_type": "refresh_token", "refresh_token": login["refresh_token"]}
    _refused(await auth.http.post("/oauth2/token", data=form, auth=DEMO_CLIENT), 400, "unauthorized_client")
