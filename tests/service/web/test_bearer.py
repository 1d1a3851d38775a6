import httpx
import pytest

from shared.testing.tokens import TokenFactory


def _bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


async def test_a_valid_token_tells_the_route_who_asks(client: httpx.AsyncClient, tokens: TokenFactory) -> None:
    response = await client.get("/mine", headers=_bearer(tokens.mint(sub="user_alice")))
    assert (response.status_code, response.json()) == (200, "user_alice")


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic YTpi", "bearer"])
async def test_no_token_is_challenged_without_an_error_code(client: httpx.AsyncClient, header: str | None) -> None:
    response = await client.get("/mine", headers={} if header is None else {"authorization": header})
    assert (response.status_code, response.headers["www-authenticate"]) == (401, "Bearer")


async def test_a_bad_token_is_challenged_with_the_reason(client: httpx.AsyncClient, tokens: TokenFactory) -> None:
    response = await client.get("/mine", headers=_bearer(tokens.mint(exp=1, iat=0)))
    assert response.status_code == 401
    assert response.headers["www-authenticate"].startswith('Bearer error="invalid_token"')
    assert "expired" in response.json()["detail"]


async def test_too_little_scope_is_403_and_names_what_is_needed(
    client: httpx.AsyncClient, tokens: TokenFactory
) -> None:
    response = await client.get("/mine", headers=_bearer(tokens.mint(scope="jobs:write")))
    assert response.status_code == 403
    assert response.headers["www-authenticate"] == 'Bearer error="insufficient_scope", scope="jobs:read"'


async def test_two_authorization_headers_are_a_bad_request(client: httpx.AsyncClient, tokens: TokenFactory) -> None:
    token = f"Bearer {tokens.mint()}"
    response = await client.get("/mine", headers=[("authorization", token), ("authorization", token)])
    assert response.status_code == 400


async def test_openapi_names_the_scheme_and_the_scope(client: httpx.AsyncClient) -> None:
    schema = (await client.get("/openapi.json")).json()
    assert schema["paths"]["/mine"]["get"]["security"] == [{"bearer": ["jobs:read"]}, {"oauth2": ["jobs:read"]}]
    assert schema["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
