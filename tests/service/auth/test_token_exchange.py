"""RFC 8693: a token that a service was shown becomes a narrower one, and lives and dies with it."""

import base64
import json
from dataclasses import replace
from typing import Any

import httpx
import pytest

from services.auth.domain.token_exchange import ACCESS_TOKEN_TYPE, JWT_TYPE
from tests.service.auth.running import Auth, oauth_error
from tests.support.clients import exchanging, registered
from tests.support.waiting import eventually

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
GATEWAY, BILLING = ("gateway", "secret"), ("billing", "secret")


@pytest.fixture
async def service(auth: Auth) -> Auth:
    """An auth that knows two services; the gateway may call billing."""
    await auth.register(exchanging("gateway", "secret", "billing"))
    await auth.register(exchanging("billing", "secret", "ledger"))
    return auth


async def _exchange(auth: Auth, subject: str, client: tuple[str, str] | None = GATEWAY, **more: str) -> httpx.Response:
    form = {"grant_type": EXCHANGE, "subject_token": subject, "subject_token_type": ACCESS_TOKEN_TYPE, **more}
    return await auth.http.post("/oauth2/token", data=form, auth=client or httpx.USE_CLIENT_DEFAULT)


async def _exchanged(auth: Auth, subject: str, client: tuple[str, str] = GATEWAY, **more: str) -> str:
    response = await _exchange(auth, subject, client, **more)
    assert response.status_code == 200, response.text
    return str(response.json()["access_token"])


def _claims(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims


async def test_the_new_token_is_the_same_users_for_less(service: Auth) -> None:
    subject = (await service.login())["token"]
    response = await _exchange(service, subject, scope="jobs:read")
    body = response.json()
    assert response.headers["cache-control"] == "no-store"
    assert (body["scope"], body["issued_token_type"]) == ("jobs:read", ACCESS_TOKEN_TYPE)
    before, after = _claims(subject), _claims(body["access_token"])
    assert {name: after[name] for name in ("iss", "sub", "sid", "aud", "username")} == {
        name: before[name] for name in ("iss", "sub", "sid", "aud", "username")
    }
    assert after["exp"] <= before["exp"]
    assert (after["client_id"], after["act"], after["permissions"]) == ("gateway", {"sub": "gateway"}, ["read"])
    assert await service.accepts(body["access_token"])


async def test_who_acts_is_told_along_the_whole_chain(service: Auth) -> None:
    first = await _exchanged(service, (await service.login())["token"], audience="billing")
    second = await _exchanged(service, first, BILLING, audience="ledger")
    assert _claims(second)["act"] == {"sub": "billing", "act": {"sub": "gateway"}}
    assert _claims(second)["aud"] == "ledger"


async def test_a_token_for_another_service_is_none_for_this_one(service: Auth) -> None:
    token = await _exchanged(service, (await service.login())["token"], audience="billing")
    assert not await service.accepts(token)


@pytest.mark.parametrize("audience", ["ledger", "everything", "mayfly,billing"])
async def test_a_client_exchanges_only_for_services_that_it_is_registered_for(service: Auth, audience: str) -> None:
    response = await _exchange(service, (await service.login())["token"], audience=audience)
    assert (response.status_code, oauth_error(response)) == (400, "invalid_target")


async def test_a_token_for_one_service_does_not_become_one_for_this_house_again(service: Auth) -> None:
    narrow = await _exchanged(service, (await service.login())["token"], audience="billing")
    assert oauth_error(await _exchange(service, narrow, BILLING, audience="mayfly")) == "invalid_target"
    assert oauth_error(await _exchange(service, narrow, GATEWAY)) == "invalid_request"
    assert _claims(await _exchanged(service, narrow, BILLING))["aud"] == "ledger"


async def test_the_scope_only_narrows(service: Auth) -> None:
    admin = (await service.login("admin", "admin-demo-only"))["token"]
    assert _claims(await _exchanged(service, admin))["scope"] == "jobs:read jobs:write"
    narrow = await _exchanged(service, admin, scope="jobs:read")
    for subject, scope in ((admin, "admin"), (narrow, "jobs:write"), (narrow, "jobs:read jobs:write")):
        assert oauth_error(await _exchange(service, subject, scope=scope)) == "invalid_scope"
    assert _claims(narrow)["roles"] == ["user"]


async def test_with_nothing_in_common_there_is_no_token(service: Auth) -> None:
    await service.register(replace(exchanging("admins"), scope=frozenset({"admin"})))
    response = await _exchange(service, (await service.login())["token"], ("admins", "secret"))
    assert oauth_error(response) == "invalid_scope"


@pytest.mark.parametrize("kind", ["jti", "session", "user", "client", "exchanger", "all"])
async def test_what_ends_the_subject_token_ends_what_was_made_of_it(service: Auth, kind: str) -> None:
    subject = (await service.login())["token"]
    once = await _exchanged(service, subject)
    twice = await _exchanged(service, once, BILLING, audience="mayfly")
    admin = (await service.login("admin", "admin-demo-only"))["token"]
    claims = _claims(subject)
    values = {"jti": claims["jti"], "session": claims["sid"], "user": claims["sub"], "client": claims["client_id"]}
    body = {"kind": kind, "value": values.get(kind)} if kind in values else {"kind": "client", "value": "gateway"}
    if kind == "all":
        body = {"kind": "all"}
    assert await service.accepts(twice)
    revoked = await service.post("/api/admin/revocations", admin, body)
    assert revoked.status_code == 200, revoked.text
    assert await service.accepts(subject) is (kind == "exchanger")
    assert not await service.accepts(once)
    assert not await service.accepts(twice)


async def test_a_revoked_token_is_not_exchanged(service: Auth) -> None:
    subject = (await service.login())["token"]
    await service.post("/api/logout", subject)
    assert oauth_error(await _exchange(service, subject)) == "invalid_request"


async def test_a_revocation_that_is_heard_late_reaches_what_was_exchanged_meanwhile(
    service: Auth, other_auth: Auth
) -> None:
    """The new token names the old one: no instance need have heard of anything when it exchanges."""
    subject = (await service.login())["token"]
    caller = await service.resources.verifier.verify(subject)
    token = await _exchanged(other_auth, subject)
    later = (await other_auth.resources.verifier.verify(token)).claims
    assert [parent.iat for parent in later.parents] == [caller.claims.iat]
    await service.delete("/api/sessions", (await service.login())["token"])
    assert not await service.accepts(token)


async def test_a_token_is_handed_on_so_often_and_no_further(service: Auth) -> None:
    token = (await service.login())["token"]
    for _ in range(4):
        token = await _exchanged(service, token)
    assert oauth_error(await _exchange(service, token)) == "invalid_request"


async def test_a_clients_own_token_can_be_exchanged_as_well(service: Auth) -> None:
    subject = (await service.client_token()).json()["access_token"]
    claims = _claims(await _exchanged(service, subject))
    assert (claims["sub"], claims["client_id"]) == ("demo-service", "gateway")
    assert "sid" not in claims


async def test_the_actor_is_the_client_itself(service: Auth) -> None:
    user = (await service.login())["token"]
    form = {"grant_type": "client_credentials"}
    own = (await service.http.post("/oauth2/token", data=form, auth=GATEWAY)).json()["access_token"]
    for actor, status in ((own, 200), (user, 400), ("x", 400)):
        response = await _exchange(service, user, actor_token=actor, actor_token_type=JWT_TYPE)
        assert response.status_code == status


@pytest.mark.parametrize(
    ("client", "error"),
    [
        (None, "invalid_client"),
        (("gateway", "wrong"), "invalid_client"),
        (("nobody", "secret"), "invalid_client"),
        (("mayfly-api-keys", ""), "unauthorized_client"),
        (("mayfly-login", ""), "unauthorized_client"),
        (("unregistered", "secret"), "unauthorized_client"),
    ],
)
async def test_only_a_client_that_is_registered_for_it_exchanges(
    service: Auth, client: tuple[str, str] | None, error: str
) -> None:
    await service.register(registered("unregistered"))
    assert oauth_error(await _exchange(service, (await service.login())["token"], client)) == error


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"subject_token": ""}, "invalid_request"),
        ({"subject_token": "x"}, "invalid_request"),
        ({"subject_token": "x" * 20_000}, "invalid_request"),
        ({"subject_token": "eyJhbGciOiJub25lIn0.e30."}, "invalid_request"),
        ({"subject_token_type": ""}, "invalid_request"),
        ({"subject_token_type": "urn:ietf:params:oauth:token-type:id_token"}, "invalid_request"),
        ({"subject_token_type": "urn:ietf:params:oauth:token-type:refresh_token"}, "invalid_request"),
        ({"requested_token_type": "urn:ietf:params:oauth:token-type:refresh_token"}, "invalid_request"),
        ({"actor_token": "x"}, "invalid_request"),
        ({"actor_token_type": ACCESS_TOKEN_TYPE}, "invalid_request"),
        ({"resource": "https://billing.example/"}, "invalid_target"),
        ({"scope": "jobs:read  jobs:write"}, "invalid_scope"),
        ({"audience": "a\0b"}, "invalid_request"),
    ],
)
async def test_a_request_that_makes_no_sense_is_refused(service: Auth, change: dict[str, str], error: str) -> None:
    subject = (await service.login())["token"]
    form = {"grant_type": EXCHANGE, "subject_token": subject, "subject_token_type": ACCESS_TOKEN_TYPE} | change
    response = await service.http.post("/oauth2/token", data=form, auth=GATEWAY)
    assert (response.status_code, oauth_error(response)) == (400, error)


async def test_a_parameter_twice_is_refused(service: Auth) -> None:
    body = f"grant_type={EXCHANGE}&subject_token=a&subject_token=b&subject_token_type={ACCESS_TOKEN_TYPE}"
    headers = {"content-type": "application/x-www-form-urlencoded"}
    response = await service.http.post("/oauth2/token", content=body, headers=headers, auth=GATEWAY)
    assert oauth_error(response) == "invalid_request"


async def test_what_was_exchanged_and_what_was_refused_is_in_the_audit_trail(service: Auth) -> None:
    await _exchanged(service, (await service.login())["token"], scope="jobs:read")
    await _exchange(service, "x")
    admin = (await service.login("admin", "admin-demo-only"))["token"]

    async def told() -> list[dict[str, Any]]:
        page = (await service.get("/api/audit?event=token-exchange", admin)).json()
        events: list[dict[str, Any]] = page["entries"]
        return events

    async def both_are_there() -> bool:
        return len(await told()) == 2

    await eventually(both_are_there)
    refused, succeeded = await told()
    assert (refused["outcome"], refused["reason"], refused["actor"]) == ("refused", "invalid_request", "gateway")
    assert (succeeded["outcome"], succeeded["subject"]) == ("succeeded", "user_testuser")
