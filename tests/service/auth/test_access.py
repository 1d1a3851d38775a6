"""Who may do what at auth: each route of its contract, asked by everyone."""

import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from services.auth.bootstrap import lay_ground
from services.auth.domain.access_tokens import Grant, access_claims
from services.auth.settings import AuthSettings, BootstrapSettings
from services.auth.signing_keys import load_static_keys
from shared import clock
from shared.ids import new_id
from shared.settings import load
from shared.testing.aws_emulator import AwsEmulator
from shared.testing.tokens import TokenFactory
from shared.testing.valkey import Valkey
from shared.tokens.compact import ACCESS_TOKEN_TYPE
from shared.tokens.signature import sign
from tests.service.auth.running import Auth, bearer, oauth_error, problem, running
from tests.support import access
from tests.support.access import Operation
from tests.support.names import unique_name

CONTRACT = access.contract(Path(__file__).parents[2] / "contract" / "auth" / "openapi.json")
OPEN = access.OPERATIONAL | {
    "POST /api/login": "here the password is the credential",
    "GET /.well-known/jwks.json": "public keys",
    "GET /.well-known/oauth-authorization-server": "public by RFC 8414",
    "GET /.well-known/openid-configuration": "public by OpenID Connect Discovery",
    "GET /oauth2/status-lists/{list_id}": "for everybody who verifies tokens; one bit a token, and no names",
    "POST /oauth2/token": "the client authenticates, or shows the grant that it was given",
    "POST /oauth2/revoke": "who holds a token may end it; a client with a secret proves it (RFC 7009 section 2.1)",
    "POST /oauth2/introspect": "the client authenticates (RFC 7662 section 2.1)",
    "POST /oauth2/device_authorization": "the client says who it is (RFC 8628 section 3.1); the user decides later",
    "GET /oauth2/device": "a page: the person logs in on it",
    "POST /oauth2/device": "its form: bound to the browser by a cookie and a hidden value",
    "GET /oauth2/authorize": "a page: the person logs in on it",
    "POST /oauth2/authorize": "its form: bound to the browser by a cookie and a hidden value",
}
SECURED = [operation for operation in CONTRACT if operation.scopes is not None]
OWN_ACCOUNT = {
    "GET /api/sessions",
    "DELETE /api/sessions",
    "DELETE /api/sessions/{session_id}",
    "GET /api/api-keys",
    "POST /api/api-keys",
    "DELETE /api/api-keys/{key_id}",
    "POST /api/me/password",
}
TAKES_JSON = [operation for operation in CONTRACT if operation.members is not None]
OWNED = [operation for operation in SECURED if operation.parameters and "admin" not in (operation.scopes or ())]


@pytest.fixture(scope="module")
async def auth(valkey: Valkey, aws_emulator: AwsEmulator, signing_key: str) -> AsyncIterator[Auth]:
    """One for all of this module: each test logs in anew, and changes nothing of another's."""
    shared = {
        "mode": "local",
        "redis_url": valkey.url,
        "aws_endpoint_url": aws_emulator.url,
        "aws_access_key_id": "test",
        "aws_secret_access_key": "test",
        "table_prefix": f"{unique_name('t')}-",
        "issuer": "http://auth.test",
        "password_memory_kib": 8192,
        "password_iterations": 1,
        "revocation_read_timeout_seconds": 2,
    }
    await lay_ground(load(BootstrapSettings, **shared))
    async with running(load(AuthSettings, **shared, signing_key=signing_key, signing_algorithm="ES256")) as auth:
        yield auth


def minted(auth: Auth, signing_key: str, **claims: object) -> str:
    """Signed by auth's own key, in a session that nobody has: what is done with it ends nothing of another test."""
    settings = load(AuthSettings, mode="local", signing_key=signing_key, signing_algorithm="ES256")
    now = int(clock.now())
    grant = Grant(unique_name("user"), "mayfly-login", frozenset({"jobs:read"}), unique_name("ses"), "ghost")
    good = access_claims(
        grant, token_id=new_id("tok"), issuer="http://auth.test", audience="mayfly", issued_at=now, expires_at=now + 60
    )
    keys = load_static_keys(settings)
    assert keys is not None
    return sign({"typ": ACCESS_TOKEN_TYPE}, good | claims, keys.active)


async def ended(auth: Auth) -> str:
    token = str((await auth.login())["token"])
    assert (await auth.post("/api/logout", token)).status_code in {200, 204}
    return token


async def refused_tokens(auth: Auth, signing_key: str) -> dict[str, str | None]:
    """None of them is good, each for a reason of its own."""
    login = await auth.login()
    return {
        "anonymous": None,
        "nonsense": "a.b.c",
        "a refresh token": login["refresh_token"],
        "a session that was ended": await ended(auth),
        "expired": minted(auth, signing_key, iat=1, nbf=1, exp=2),
        "for another service": minted(auth, signing_key, aud="someone-else"),
        "of another issuer": minted(auth, signing_key, iss="http://evil.test"),
        "signed by a stranger": TokenFactory(alg="ES256", issuer="http://auth.test").mint(scope="admin jobs:read"),
    }


async def good_tokens(auth: Auth, signing_key: str) -> dict[str, str]:
    return {
        "user": (await auth.login())["token"],
        "admin": (await auth.login("admin", "admin-demo-only"))["token"],
        "client": (await auth.client_token()).json()["access_token"],
        "without any scope": minted(auth, signing_key, scope=""),
        "with a role and no scope": minted(auth, signing_key, scope="", roles=["admin"], permissions=["admin"]),
    }


def test_each_open_route_is_open_for_a_reason() -> None:
    assert {str(operation) for operation in CONTRACT if operation.scopes is None} == set(OPEN)


@pytest.mark.parametrize("operation", SECURED, ids=str)
async def test_without_a_good_token_nothing_is_told(auth: Auth, signing_key: str, operation: Operation) -> None:
    for role, token in (await refused_tokens(auth, signing_key)).items():
        answer = await access.ask(auth.http, operation, token)
        assert access.is_refused(answer), (role, answer.text)


@pytest.mark.parametrize("operation", SECURED, ids=str)
async def test_a_good_token_reaches_as_far_as_its_scope(auth: Auth, signing_key: str, operation: Operation) -> None:
    for role, token in (await good_tokens(auth, signing_key)).items():
        answer = await access.ask(auth.http, operation, token)
        if str(operation) in OWN_ACCOUNT and role == "client":
            assert problem(answer) == "login-needed"
        elif operation.is_for(token):
            assert answer.status_code not in {401, 403}, (role, answer.text)
            assert answer.status_code < 500, (role, answer.text)
        else:
            assert access.lacks_scope(answer), (role, answer.text)


async def test_only_a_login_of_their_own_looks_after_a_users_account(auth: Auth, signing_key: str) -> None:
    """Whatever scope a client, an API key or another service was given: it is for jobs."""
    of_a_client = minted(auth, signing_key, client_id="some-app")
    me = (await auth.get("/api/me", of_a_client)).json()["user_id"]
    for operation in (each for each in SECURED if str(each) in OWN_ACCOUNT):
        assert problem(await access.ask(auth.http, operation, of_a_client)) == "login-needed", str(operation)
    change = await auth.http.patch(f"/api/users/{me}", headers=bearer(of_a_client), json={"display_name": "x"})
    assert problem(change) == "login-needed"


FOR_CLIENTS = ["/oauth2/token", "/oauth2/introspect", "/oauth2/device_authorization"]


@pytest.mark.parametrize("path", FOR_CLIENTS)
async def test_what_is_for_clients_is_for_no_user_and_no_stranger(auth: Auth, path: str) -> None:
    login = await auth.login("admin", "admin-demo-only")
    form = {"token": login["token"], "grant_type": "client_credentials", "scope": "admin"}
    for headers in (
        {},
        bearer(login["token"]),
        {"authorization": "Basic " + base64.b64encode(b"demo-service:wrong").decode()},
        {"authorization": "Basic " + base64.b64encode(b"admin:admin-demo-only").decode()},
    ):
        answer = await auth.http.post(path, data=form, headers=headers)
        assert answer.status_code in {400, 401}, answer.text
        assert oauth_error(answer) in {"invalid_client", "invalid_request"}


async def new_session(auth: Auth) -> tuple[str, str]:
    login = await auth.login("alice", "wonderland-demo")
    return login["session_id"], login["token"]


async def herself(auth: Auth) -> tuple[str, str]:
    return "user_alice", (await auth.login("alice", "wonderland-demo"))["token"]


async def new_key(auth: Auth) -> tuple[str, str]:
    token = (await auth.login("alice", "wonderland-demo"))["token"]
    made = await auth.post("/api/api-keys", token, {"name": "of alice", "scope": "jobs:read"})
    assert made.status_code == 201, made.text
    return made.json()["key_id"], token


# Makes one of alice's: its id, and a token by which it can be seen whether it is still there.
MAKE: dict[str, Callable[[Auth], Awaitable[tuple[str, str]]]] = {
    "session_id": new_session,
    "user_id": herself,
    "key_id": new_key,
}
UNKNOWN = {"session_id": "ses_" + "a" * 26, "user_id": "user_" + "a" * 26, "key_id": "key_" + "a" * 26}
EVERYONE_ELSE = (("testuser", "testpass"), ("admin", "admin-demo-only"))
STRANGERS = {
    "session_id": EVERYONE_ELSE,
    "user_id": (("testuser", "testpass"),),  # an administrator sees other users
    "key_id": EVERYONE_ELSE,
}


@pytest.mark.parametrize("operation", OWNED, ids=str)
async def test_what_is_anothers_is_as_unknown_as_what_is_not_there(auth: Auth, operation: Operation) -> None:
    [parameter] = operation.parameters
    assert parameter in MAKE, f"say in MAKE how to make a {parameter} of another user's"
    thing, alices_token = await MAKE[parameter](auth)
    for username, password in STRANGERS[parameter]:
        token = (await auth.login(username, password))["token"]
        others = await access.ask(auth.http, operation, token, operation.filled(thing))
        nobodys = await access.ask(auth.http, operation, token, operation.filled(UNKNOWN[parameter]))
        assert others.status_code == 404
        assert access.alike(others, thing, nobodys, UNKNOWN[parameter]), (others.text, nobodys.text)
    assert await auth.accepts(alices_token)
    own = await access.ask(auth.http, operation, alices_token, operation.filled(thing))
    assert own.status_code < 300, own.text


HIDDEN = {
    "admin",
    "is_admin",
    "role",
    "scopes",
    "sub",
    "user_id",
    "owner",
    "password_hash",
    "session_id",
    "client_id",
    "__proto__",
}


@pytest.mark.parametrize("operation", TAKES_JSON, ids=str)
async def test_a_body_can_not_set_what_its_route_does_not_name(auth: Auth, operation: Operation) -> None:
    """Mass assignment."""
    headers = bearer((await auth.login("admin", "admin-demo-only"))["token"])
    hidden = sorted(HIDDEN - (operation.members or frozenset()))
    for name in hidden:
        answer = await auth.http.request(
            operation.method, operation.filled("unknown"), json={name: "admin"}, headers=headers
        )
        assert answer.status_code == 422, answer.text
        wrong = {error["pointer"]: error["detail"] for error in answer.json()["errors"]}
        assert wrong[f"/{name}"].startswith("is not known here; ")


@pytest.mark.parametrize("operation", TAKES_JSON, ids=str)
async def test_a_member_given_twice_is_refused_by_each_route(auth: Auth, operation: Operation) -> None:
    headers = bearer((await auth.login("admin", "admin-demo-only"))["token"]) | {"content-type": "application/json"}
    name = json.dumps(min(operation.members or {"x"}))
    body = f"{{{name}: 1, {name}: 2}}"
    answer = await auth.http.request(operation.method, operation.filled("unknown"), content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid-request"), answer.text
    assert "twice" in answer.json()["detail"]
