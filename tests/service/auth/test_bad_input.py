"""Whatever is sent: an answer that names the field and the remedy, never a 500, and nothing of our inside."""

import json
from collections.abc import AsyncIterator, Callable

import httpx
import pytest

from tests.service.auth.running import Auth, bearer, oauth_error, problem

LOGIN = {"username": "testuser", "password": "testpass"}
JSON_ROUTES = ["/api/login", "/api/admin/revocations"]


@pytest.fixture
async def admin(auth: Auth) -> dict[str, str]:
    return bearer((await auth.login("admin", "admin-demo-only"))["token"])


async def _send(auth: Auth, path: str, body: bytes, headers: dict[str, str]) -> httpx.Response:
    return await auth.http.post(path, content=body, headers={"content-type": "application/json", **headers})


def _discreet(response: httpx.Response) -> None:
    for inside in ("Traceback", "site-packages", "pydantic", "botocore", "DynamoDB", ".py"):
        assert inside not in response.text


@pytest.mark.parametrize("path", JSON_ROUTES)
@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 422),
        (b"not json", 400),
        (b'{"username": "half', 400),
        (b"{\xff\xfe}", 400),
        (b'{"username": ' + b"[" * 50 + b"]" * 50 + b"}", 422),
        (b"null", 422),
        (b"[]", 422),
        (b'"text"', 422),
        (b"17", 422),
        (b"{}", 422),
        (b'{"x": NaN}', 422),
    ],
)
async def test_a_body_that_is_no_object_of_ours_is_refused(
    auth: Auth, admin: dict[str, str], path: str, body: bytes, status: int
) -> None:
    response = await _send(auth, path, body, admin)
    assert response.status_code == status
    assert problem(response) == ("invalid-request" if status == 400 else "validation-failed")
    _discreet(response)


@pytest.mark.parametrize("path", JSON_ROUTES)
@pytest.mark.parametrize("depth", [5000, 200_000])
async def test_a_body_that_is_nested_too_deep_is_refused(
    auth: Auth, admin: dict[str, str], path: str, depth: int
) -> None:
    """Python's parser gives up at a depth that differs by version; what it takes is refused by us."""
    response = await _send(auth, path, b"[" * depth + b"]" * depth, admin)
    assert problem(response) in {"invalid-request", "validation-failed"}
    _discreet(response)


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"username": None}, "/username"),
        ({"username": 7}, "/username"),
        ({"username": True}, "/username"),
        ({"username": ["testuser"]}, "/username"),
        ({"username": {"$ne": ""}}, "/username"),
        ({"username": ""}, "/username"),
        ({"username": "x" * 129}, "/username"),
        ({"username": "x" * 3000}, "/username"),
        ({"username": "ﷺ" * 128}, "/username"),
        ({"password": ""}, "/password"),
        ({"password": "x" * 129}, "/password"),
        ({"password": 12345678}, "/password"),
        ({"unknown": 1}, "/unknown"),
        ({"user_name": "x"}, "/user_name"),
    ],
)
async def test_a_field_that_is_wrong_is_named(auth: Auth, change: dict[str, object], pointer: str) -> None:
    response = await auth.http.post("/api/login", json=LOGIN | change)
    assert (response.status_code, problem(response)) == (422, "validation-failed")
    assert pointer in [error["pointer"] for error in response.json()["errors"]]
    _discreet(response)


@pytest.mark.parametrize("missing", ["username", "password"])
async def test_a_field_that_is_missing_is_named(auth: Auth, missing: str) -> None:
    body = {name: value for name, value in LOGIN.items() if name != missing}
    response = await auth.http.post("/api/login", json=body)
    assert [error["pointer"] for error in response.json()["errors"]] == [f"/{missing}"]


@pytest.mark.parametrize("text", [r"a\u0000b", r"\ud800", r"\udc00x"])
@pytest.mark.parametrize("field", ["username", "password"])
async def test_text_that_can_not_be_stored_is_refused(auth: Auth, field: str, text: str) -> None:
    body = json.dumps(LOGIN | {field: "TEXT"}).replace("TEXT", text)
    response = await _send(auth, "/api/login", body.encode(), {})
    assert (response.status_code, problem(response)) == (422, "validation-failed")


async def test_any_other_text_is_a_wrong_password_and_no_error(auth: Auth) -> None:
    for text in ("ﷺ" * 14, "😀" * 128, "a\u0301", "\u202e\u200b", "' OR 1=1 --", "../../x", " ", "\x01\x7f"):
        response = await auth.try_login(text, text)
        assert problem(response) in {"invalid-credentials", "too-many-attempts"}


@pytest.mark.parametrize("path", JSON_ROUTES)
async def test_a_huge_body_is_refused(auth: Auth, admin: dict[str, str], path: str) -> None:
    response = await _send(auth, path, b"x" * 2_000_000, admin)
    assert (response.status_code, problem(response)) == (413, "payload-too-large")


async def _pieces() -> AsyncIterator[bytes]:
    """No length is declared: the limit is met while the body is read."""
    for _ in range(200):
        yield b"x" * 10_000


@pytest.mark.parametrize("path", ["/oauth2/token", "/oauth2/revoke"])
@pytest.mark.parametrize("body", [b"x" * 2_000_000, _pieces])
async def test_a_huge_form_is_refused_in_oauths_words(
    auth: Auth, path: str, body: bytes | Callable[[], AsyncIterator[bytes]]
) -> None:
    content = body if isinstance(body, bytes) else body()
    headers = {"content-type": "application/x-www-form-urlencoded"}
    response = await auth.http.post(path, content=content, headers=headers)
    assert (response.status_code, oauth_error(response)) == (413, "invalid_request")
    assert response.json()["error_description"].startswith("Send at most 1048576 bytes.")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/oauth2/token", 405), ("DELETE", "/oauth2/revoke", 405), ("GET", "/oauth2/nothing", 404)],
)
async def test_another_method_and_another_path_are_refused_in_oauths_words(
    auth: Auth, method: str, path: str, status: int
) -> None:
    response = await auth.http.request(method, path)
    assert (response.status_code, oauth_error(response)) == (status, "invalid_request")
    assert response.headers.get("allow") == ("POST" if status == 405 else None)
    assert response.headers["x-request-id"]


@pytest.mark.parametrize(
    "session_id", ["..%2F..%2Fx", "x" * 3000, "%00", "%ff", "ses_", "'", "%F0%9F%98%80", "ses_a#x", "a%20b"]
)
async def test_an_id_that_is_none_is_not_found(auth: Auth, admin: dict[str, str], session_id: str) -> None:
    response = await auth.http.delete(f"/api/sessions/{session_id}", headers=admin)
    assert response.status_code == 404
    assert problem(response) in {"session-not-found", "not-found"}
    _discreet(response)


@pytest.mark.parametrize("token", ["x", "a.b.c", "Ω", "x" * 5000, "eyJhbGciOiJub25lIn0.e30."])
async def test_a_token_that_is_none_is_a_401(auth: Auth, token: str) -> None:
    headers = [(b"authorization", f"Bearer {token}".encode())]
    for method, path in [("GET", "/api/me"), ("DELETE", "/api/sessions"), ("POST", "/api/admin/revocations")]:
        response = await auth.http.request(method, path, headers=httpx.Headers(headers))
        assert (response.status_code, problem(response)) == (401, "unauthorized")
        assert response.headers["www-authenticate"].startswith("Bearer ")


async def test_another_method_and_another_path_are_problems_too(auth: Auth) -> None:
    wrong_method = await auth.http.get("/api/login")
    assert (wrong_method.status_code, problem(wrong_method)) == (405, "method-not-allowed")
    wrong_path = await auth.http.get("/api/nothing")
    assert (wrong_path.status_code, problem(wrong_path)) == (404, "not-found")


async def test_no_answer_repeats_a_secret(auth: Auth) -> None:
    secret = "a-secret-of-mine"
    answers = [
        await auth.http.post("/api/login", json={"username": secret, "password": secret}),
        await auth.http.post("/api/login", json={"username": 1, "password": secret, "other": secret}),
        await auth.refresh(secret),
        await auth.http.post("/oauth2/token", data={"grant_type": "client_credentials"}, auth=("x", secret)),
        await auth.http.get("/api/me", headers=bearer(secret)),
    ]
    assert [answer.status_code for answer in answers] == [401, 422, 400, 401, 401]
    assert not [answer.text for answer in answers if secret in answer.text]
