"""docs/reference/failure-modes.md says what each route of auth answers in an outage. Here each row of it is asked."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.testing.ports import free_port
from tests.service.auth.conftest import MakeSettings
from tests.service.auth.running import DEMO_CLIENT, Auth, bearer, running

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "reference" / "failure-modes.md"
OUTAGES = ("redis", "dynamodb")
ADA = {"username": "ada", "password": "a-long-password", "roles": ["user"], "permissions": ["read"]}
CLIENT = {"name": "x", "grant_types": ["client_credentials"], "scope": "jobs:read"}

_GRANTS, _PAGES, _CLIENTS = "test_outages_of_grants_and_keys.py", "test_login_pages.py", "test_client_outages.py"
_CODES = f"{_GRANTS}::test_without_dynamodb_a_code_of_either_kind_can_be_sent_again"
_DEVICES = f"{_GRANTS}::test_without_redis_devices_begin_and_get_tokens_but_nobody_enters_a_code"
_LOGINS = f"{_PAGES}::test_without_redis_nobody_may_try_a_password"
_NOTHING = f"{_PAGES}::test_without_dynamodb_nothing_is_decided"
_EXCHANGES = (
    f"{_CLIENTS}::test_without_redis_tokens_are_exchanged_and_told_as_usual",
    f"{_CLIENTS}::test_without_dynamodb_no_token_is_exchanged_or_told",
)
_KEYS = (
    f"{_GRANTS}::test_without_redis_a_key_is_distrusted_and_its_end_not_announced",
    f"{_GRANTS}::test_without_dynamodb_nothing_is_decided_about_keys",
)
# Asked by tests of their own, for Redis and for DynamoDB: they need pages, keys or lists, which others have no use for.
ELSEWHERE = {
    "`POST /oauth2/token` `authorization_code`": (
        f"{_GRANTS}::test_without_redis_who_is_logged_in_consents_and_a_code_gives_tokens",
        _CODES,
    ),
    "`POST /oauth2/token` with a device code": (_DEVICES, _CODES),
    "`POST /oauth2/device_authorization`": (_DEVICES, _NOTHING),
    "`GET /oauth2/authorize`, `GET /oauth2/device`": (_LOGINS, _NOTHING),
    "`POST /oauth2/authorize`": (_LOGINS, _NOTHING),
    "`POST /oauth2/device`": (_DEVICES, _CODES),
    "`POST /oauth2/token` token exchange of an API key": _EXCHANGES,
    "`POST /oauth2/token` token exchange of an access token": _EXCHANGES,
    "`GET /oauth2/status-lists/{list_id}`": (
        "test_status_lists.py::test_without_news_of_revocations_there_is_no_list",
        "test_status_lists.py::test_a_list_goes_on_without_dynamodb_while_nothing_else_is_revoked",
    ),
    "`POST /api/admin/keys/{kid}/distrust`": _KEYS,
    "`GET /api/admin/keys`, `POST /api/admin/keys/rotate`": _KEYS,
}


@dataclass(frozen=True, slots=True)
class Expected:
    """A status, and what the error is called; 200 stands for every success."""

    status: int
    code: str | None = None


def rows() -> dict[str, tuple[str, str]]:
    """Of auth's table: what each row is about, and what it says of Redis and of DynamoDB."""
    section = PAGE.read_text(encoding="utf-8").split("\n## auth\n")[1].split("\n## ")[0]
    lines = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| `")]
    return {route.strip(): (redis.strip(), dynamodb.strip()) for route, redis, dynamodb in lines}


def expected(cell: str, outage: str) -> Expected:
    if cell == "as logout":
        return expected(rows()["`POST /api/logout`"][OUTAGES.index(outage)], outage)
    error = re.match(r"(?:503|.*; else 503) `([a-z_-]+)`", cell)
    if error is not None:
        return Expected(503, error[1])
    if cell.startswith("503"):
        return Expected(503)
    assert cell.startswith(("as usual", "reads more", "200")), cell
    return Expected(200)


def said(answer: httpx.Response, asked: Expected) -> Expected:
    """The same of an answer, as far as the table says it."""
    if answer.is_success:
        return Expected(200)
    body = answer.json()
    assert "retry-after" in answer.headers
    return Expected(answer.status_code, body.get("code", body.get("error")) if asked.code else None)


Ask = Callable[[Auth], Awaitable[httpx.Response]]


@dataclass(slots=True)
class Asking:
    """What was there before the outage, for the requests of each row."""

    admin: str
    session: Mapping[str, Any]
    user_id: str
    key_id: str
    client_id: str
    secret_id: str
    refresh_tokens: list[str]

    def json(self, method: str, path: str, body: object = None, token: str | None = None) -> Ask:
        return lambda auth: auth.http.request(method, path, headers=bearer(token or self.admin), json=body)

    def form(self, path: str, body: Mapping[str, str], client: tuple[str, str] | None = None) -> Ask:
        return lambda auth: auth.http.post(path, data=body, auth=client or httpx.USE_CLIENT_DEFAULT)

    def that_end_nothing(self) -> dict[str, list[Ask]]:
        """By the row of the table that they are about. They may be asked in any order, and at once."""
        return self._of_people() | self._of_programs()

    def _of_people(self) -> dict[str, list[Ask]]:
        json, user = self.json, f"/api/users/{self.user_id}"
        login = {"username": "testuser", "password": "testpass"}
        return {
            "`POST /api/login`": [lambda auth: auth.http.post("/api/login", json=login)],
            "`GET /api/me`": [json("GET", "/api/me")],
            "`GET /api/sessions`": [json("GET", "/api/sessions")],
            "`POST /api/users`, `GET /api/users`, `GET /api/users/{user_id}`": [
                json("POST", "/api/users", ADA | {"username": "grace"}),
                json("GET", "/api/users"),
                json("GET", user),
            ],
            "`PATCH /api/users/{user_id}`": [json("PATCH", user, {"display_name": "Ada"})],
            "`GET /api/audit`": [json("GET", "/api/audit")],
            "`POST /api/api-keys`, `GET /api/api-keys`": [
                json("POST", "/api/api-keys", {"name": "x"}),
                json("GET", "/api/api-keys"),
            ],
            "`GET /.well-known/…`": [lambda auth: auth.http.get("/.well-known/jwks.json")],
            "`GET /readyz`": [lambda auth: auth.http.get("/readyz")],
        }

    def _of_programs(self) -> dict[str, list[Ask]]:
        json, form, client = self.json, self.form, f"/api/clients/{self.client_id}"
        refresh, told = self.refresh_tokens
        return {
            "`POST /oauth2/token` `client_credentials`": [
                form("/oauth2/token", {"grant_type": "client_credentials"}, DEMO_CLIENT)
            ],
            "`POST /oauth2/token` `refresh_token`": [
                form("/oauth2/token", {"grant_type": "refresh_token", "refresh_token": refresh})
            ],
            "`POST /oauth2/introspect`": [form("/oauth2/introspect", {"token": told}, DEMO_CLIENT)],
            self._clients_row(): [
                json("POST", "/api/clients", CLIENT),
                json("GET", "/api/clients"),
                json("GET", client),
                json("PATCH", client, {"name": "y"}),
                json("POST", f"{client}/secrets"),
                json("DELETE", f"{client}/secrets/{self.secret_id}"),
            ],
        }

    def that_end_something(self) -> dict[str, list[Ask]]:
        json, user, session = self.json, f"/api/users/{self.user_id}", self.session
        password = {"current_password": "admin-demo-only", "new_password": "another-long-password"}
        return {
            "`DELETE /api/api-keys/{key_id}`": [json("DELETE", f"/api/api-keys/{self.key_id}")],
            "`DELETE /api/clients/{client_id}`": [json("DELETE", f"/api/clients/{self.client_id}")],
            "`POST /api/users/{user_id}/revoke`": [json("POST", f"{user}/revoke")],
            "`DELETE /api/users/{user_id}`": [json("DELETE", user)],
            "`POST /api/admin/revocations`": [
                json("POST", "/api/admin/revocations", {"kind": "jti", "value": "tok_nobody"})
            ],
            "`POST /oauth2/revoke`": [self.form("/oauth2/revoke", {"token": self.refresh_tokens[1]})],
            "`POST /api/me/password`": [json("POST", "/api/me/password", password)],
            "`DELETE /api/sessions`, `DELETE /api/sessions/{session_id}`": [
                json("DELETE", f"/api/sessions/{session['session_id']}", token=session["token"]),
                json("DELETE", "/api/sessions"),
            ],
            "`POST /api/logout`": [json("POST", "/api/logout", token=session["other"])],
        }

    def _clients_row(self) -> str:
        return next(row for row in rows() if row.startswith("`POST /api/clients`"))


async def prepared(auth: Auth) -> Asking:
    admin = (await auth.login("admin", "admin-demo-only"))["token"]
    session, *refreshed = [await auth.login() for _ in range(3)]
    user = (await auth.post("/api/users", admin, ADA)).json()
    key = (await auth.post("/api/api-keys", admin, {"name": "x"})).json()
    client = (await auth.post("/api/clients", admin, CLIENT)).json()
    return Asking(
        admin,
        session | {"other": (await auth.login("alice", "wonderland-demo"))["token"]},
        user["user_id"],
        key["key_id"],
        client["client_id"],
        (await auth.post(f"/api/clients/{client['client_id']}/secrets", admin)).json()["secret_id"],
        [tokens["refresh_token"] for tokens in refreshed],
    )


@pytest.fixture(params=OUTAGES)
async def broken(
    request: pytest.FixtureRequest, make_settings: MakeSettings, auth: Auth
) -> AsyncIterator[tuple[str, Auth]]:
    """An instance that lacks one of the two; the other instance goes on."""
    port = free_port()
    lack: Mapping[str, object] = {
        "redis": {"redis_url": f"redis://127.0.0.1:{port}/0"},
        "dynamodb": {"aws_endpoint_url": f"http://127.0.0.1:{port}"},
    }[request.param]
    await auth.until_it_hears()
    async with running(make_settings(**lack)) as lacking:
        if request.param == "dynamodb":
            await lacking.until_it_hears()
        yield request.param, lacking


async def test_each_row_of_the_table_is_what_is_answered(broken: tuple[str, Auth], auth: Auth) -> None:
    outage, lacking = broken
    asking, table = await prepared(auth), rows()

    async def wrong(row: str, asks: list[Ask]) -> list[tuple[object, ...]]:
        wanted = expected(table[row][OUTAGES.index(outage)], outage)
        answers = [await ask(lacking) for ask in asks]
        return [
            (row, number, wanted, answer.status_code, answer.text[:200])
            for number, answer in enumerate(answers)
            if said(answer, wanted) != wanted
        ]

    found = await asyncio.gather(*(wrong(*each) for each in asking.that_end_nothing().items()))
    found += [await wrong(*each) for each in asking.that_end_something().items()]
    assert list(filter(None, found)) == []


def test_each_row_is_asked_here_or_elsewhere() -> None:
    nobody = Asking("", {"token": "", "other": "", "session_id": ""}, "", "", "", "", ["", ""])
    here = nobody.that_end_nothing() | nobody.that_end_something()
    assert set(rows()) == {*here, *ELSEWHERE}
    assert not set(here) & set(ELSEWHERE)
    for file, _, name in (test.partition("::") for tests in ELSEWHERE.values() for test in tests):
        assert f"async def {name}(" in (Path(__file__).parent / file).read_text(encoding="utf-8")
