"""What a refresh token is good for, how often, and what ends it."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import httpx
import pytest

from services.auth.domain.sessions import Session
from shared import clock
from shared.clients.aws import open_dynamodb
from shared.errors import Unavailable
from shared.tokens.revocation import Revocation, Target
from tests.service.auth.conftest import MakeSettings
from tests.service.auth.running import DEMO_USERS, Auth, running
from tests.support.clients import registered
from tests.support.waiting import eventually


def _error(response: httpx.Response) -> str:
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["pragma"] == "no-cache"
    return str(response.json()["error"])


async def _session(auth: Auth, tokens: dict[str, Any]) -> Session:
    session = await auth.resources.sessions.login.sessions.get(tokens["session_id"])
    assert session is not None
    return session


async def _age(auth: Auth, make_settings: MakeSettings, session_id: str, seconds: int) -> None:
    """As if the last rotation had been so long ago."""
    settings = make_settings()
    async with open_dynamodb(settings) as dynamodb:
        await dynamodb.update_item(
            TableName=f"{settings.table_prefix}sessions",
            Key={"session_id": {"S": session_id}},
            UpdateExpression="SET rotated_at_ms = rotated_at_ms - :age",
            ExpressionAttributeValues={":age": {"N": str(seconds * 1000)}},
        )


async def test_a_refresh_gives_new_tokens_of_the_same_session(auth: Auth) -> None:
    tokens = await auth.login()
    response = await auth.refresh(tokens["refresh_token"])
    body = response.json()
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    assert body.keys() == {"access_token", "token_type", "expires_in", "scope", "refresh_token"}
    assert (body["token_type"], body["expires_in"], body["scope"]) == ("Bearer", 900, "jobs:read jobs:write")
    assert body["refresh_token"] != tokens["refresh_token"]
    me = (await auth.get("/api/me", body["access_token"])).json()
    assert (me["session_id"], me["username"]) == (tokens["session_id"], "testuser")


async def test_the_access_token_from_before_stays_good(auth: Auth) -> None:
    tokens = await auth.login()
    await auth.refresh(tokens["refresh_token"])
    assert await auth.accepts(tokens["token"])


async def test_a_chain_of_refreshes_holds_at_any_instance(auth: Auth, other_auth: Auth) -> None:
    refresh_token = (await auth.login())["refresh_token"]
    for instance in [auth, other_auth] * 4:
        response = await instance.refresh(refresh_token)
        assert response.status_code == 200
        refresh_token = response.json()["refresh_token"]


async def test_the_first_partys_client_id_may_be_named(auth: Auth) -> None:
    tokens = await auth.login()
    assert (await auth.refresh(tokens["refresh_token"], client_id="mayfly-login")).status_code == 200


async def test_of_twenty_uses_at_once_one_rotates_and_all_get_the_same_successor(auth: Auth, other_auth: Auth) -> None:
    tokens = await auth.login()
    instances = [auth, other_auth] * 10
    responses = await asyncio.gather(*(instance.refresh(tokens["refresh_token"]) for instance in instances))
    assert Counter(response.status_code for response in responses) == {200: 20}
    assert len({response.json()["refresh_token"] for response in responses}) == 1
    assert len({response.json()["access_token"] for response in responses}) == 20
    assert (await auth.refresh(responses[0].json()["refresh_token"])).status_code == 200


async def test_the_predecessor_gets_the_same_successor_for_a_while(auth: Auth, make_settings: MakeSettings) -> None:
    tokens = await auth.login()
    first = (await auth.refresh(tokens["refresh_token"])).json()["refresh_token"]
    await _age(auth, make_settings, tokens["session_id"], 8)
    again = await auth.refresh(tokens["refresh_token"])
    assert again.json()["refresh_token"] == first


class NotAnswering:
    async def read(self, targets: Sequence[Target]) -> list[Revocation]:
        raise Unavailable(f"The revocations of {len(targets)} targets can't be read.")


async def test_a_refresh_that_could_not_read_all_it_needs_leaves_the_token_as_it_was(auth: Auth) -> None:
    tokens = await auth.login()
    before = (await _session(auth, tokens)).refresh
    cut_off = replace(auth.resources.sessions.refresh, revocations=NotAnswering())
    with pytest.raises(Unavailable):
        await cut_off(None, tokens["refresh_token"], None)
    assert (await _session(auth, tokens)).refresh == before


async def test_the_grace_counts_from_the_rotation_and_not_from_the_request(auth: Auth) -> None:
    tokens = await auth.login()
    moments = iter([clock.now() - 60, clock.now()])
    slow = replace(auth.resources.sessions.refresh, now=lambda: next(moments))
    refreshed = await slow(None, tokens["refresh_token"], None)
    again = await auth.refresh(tokens["refresh_token"])
    assert again.json()["refresh_token"] == str(refreshed.refresh_token)


async def test_the_predecessor_after_the_grace_ends_the_session(
    auth: Auth, other_auth: Auth, make_settings: MakeSettings
) -> None:
    tokens = await auth.login()
    successor = (await auth.refresh(tokens["refresh_token"])).json()
    await _age(auth, make_settings, tokens["session_id"], 11)
    assert _error(await auth.refresh(tokens["refresh_token"])) == "invalid_grant"
    assert _error(await auth.refresh(successor["refresh_token"])) == "invalid_grant"
    assert not await auth.accepts(successor["access_token"])
    assert not await auth.accepts(tokens["token"])

    async def refused_elsewhere() -> bool:
        return not await other_auth.accepts(successor["access_token"])

    await eventually(refused_elsewhere, timeout_seconds=2)


async def test_an_older_generation_ends_the_session_even_within_the_grace(auth: Auth) -> None:
    tokens = await auth.login()
    second = (await auth.refresh(tokens["refresh_token"])).json()["refresh_token"]
    third = (await auth.refresh(second)).json()["refresh_token"]
    assert _error(await auth.refresh(tokens["refresh_token"])) == "invalid_grant"
    assert _error(await auth.refresh(third)) == "invalid_grant"


async def test_a_made_up_secret_for_a_known_session_is_refused_and_ends_nothing(auth: Auth) -> None:
    tokens = await auth.login()
    forged = f"{tokens['session_id']}.{'A' * 65}"
    assert _error(await auth.refresh(forged)) == "invalid_grant"
    assert (await auth.refresh(tokens["refresh_token"])).status_code == 200


@pytest.mark.parametrize(
    "raw_token",
    ["x", "ses_" + "a" * 26, "ses_" + "a" * 26 + "." + "A" * 65, "ses_../../x.aaa", "A" * 3000, "eyJ.eyJ.x", "é"],
)
async def test_what_is_no_refresh_token_is_an_invalid_grant(auth: Auth, raw_token: str) -> None:
    response = await auth.refresh(raw_token)
    assert response.status_code == 400
    assert _error(response) == "invalid_grant"


async def test_the_scope_may_be_narrowed_and_comes_back_with_the_next_refresh(auth: Auth) -> None:
    tokens = await auth.login()
    narrow = (await auth.refresh(tokens["refresh_token"], scope="jobs:read")).json()
    assert narrow["scope"] == "jobs:read"
    assert (await auth.get("/api/me", narrow["access_token"])).json()["scope"] == "jobs:read"
    assert (await auth.refresh(narrow["refresh_token"])).json()["scope"] == "jobs:read jobs:write"


@pytest.mark.parametrize("scope", ["admin", "jobs:read admin", "jobs:read  jobs:write", '"', "jobs:readé"])
async def test_the_scope_is_never_widened_and_asking_costs_nothing(auth: Auth, scope: str) -> None:
    tokens = await auth.login()
    assert _error(await auth.refresh(tokens["refresh_token"], scope=scope)) == "invalid_scope"
    assert (await auth.refresh(tokens["refresh_token"])).status_code == 200


async def _change_user(make_settings: MakeSettings, expression: str, **values: Any) -> None:  # noqa: ANN401 - DynamoDB's
    settings = make_settings()
    async with open_dynamodb(settings) as dynamodb:
        await dynamodb.update_item(
            TableName=f"{settings.table_prefix}users",
            Key={"username": {"S": "admin"}},
            UpdateExpression=expression,
            ExpressionAttributeNames={f"#{name}": name for name in values},
            ExpressionAttributeValues={f":{name}": value for name, value in values.items()},
        )


async def test_a_refresh_gives_no_more_than_the_user_may_now(auth: Auth, make_settings: MakeSettings) -> None:
    tokens = await auth.login("admin", "admin-demo-only")
    await _change_user(make_settings, "SET #roles = :roles", roles={"L": [{"S": "user"}]})
    body = (await auth.refresh(tokens["refresh_token"])).json()
    assert body["scope"] == "jobs:read jobs:write"
    assert (await auth.get("/api/me", body["access_token"])).json()["roles"] == ["user"]


async def test_of_a_scope_that_was_lost_altogether_no_token_is_made(auth: Auth, make_settings: MakeSettings) -> None:
    """And the refresh token stays: what was lost may come back."""
    tokens = await auth.login("admin", "admin-demo-only")
    await _change_user(
        make_settings, "SET #roles = :roles, #permissions = :permissions", roles={"L": []}, permissions={"L": []}
    )
    assert _error(await auth.refresh(tokens["refresh_token"])) == "invalid_grant"
    await _change_user(make_settings, "SET #roles = :roles", roles={"L": [{"S": "admin"}]})
    assert (await auth.refresh(tokens["refresh_token"])).json()["scope"] == "admin"


async def test_a_disabled_user_can_not_refresh(auth: Auth, make_settings: MakeSettings) -> None:
    tokens = await auth.login("admin", "admin-demo-only")
    await _change_user(make_settings, "SET #disabled = :disabled", disabled={"BOOL": True})
    assert _error(await auth.refresh(tokens["refresh_token"])) == "invalid_grant"


async def test_a_session_past_its_end_can_not_be_refreshed(auth: Auth, make_settings: MakeSettings) -> None:
    settings = make_settings()
    tokens = await auth.login()
    async with open_dynamodb(settings) as dynamodb:
        await dynamodb.update_item(
            TableName=f"{settings.table_prefix}sessions",
            Key={"session_id": {"S": tokens["session_id"]}},
            UpdateExpression="SET expires_at = :now",
            ExpressionAttributeValues={":now": {"N": str(int(clock.now()))}},
        )
    assert _error(await auth.refresh(tokens["refresh_token"])) == "invalid_grant"


async def test_a_confidential_client_does_not_get_a_users_session(auth: Auth) -> None:
    tokens = await auth.login()
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    await auth.register(replace(registered("app", "secret"), grant_types=frozenset({"refresh_token"})))
    response = await auth.http.post("/oauth2/token", data=form, auth=("app", "secret"))
    assert _error(response) == "invalid_grant"
    response = await auth.http.post("/oauth2/token", data=form, auth=("mayfly-login", "a-secret"))
    assert _error(response) == "invalid_client"


@pytest.mark.parametrize("revoked_first", [True, False])
async def test_a_refresh_that_races_an_end_never_brings_the_session_back(auth: Auth, *, revoked_first: bool) -> None:
    """Whoever is faster: after both have answered, nothing of the session is accepted."""
    for _ in range(8):
        mine, raced = await auth.login(), await auth.login()
        end = auth.delete(f"/api/sessions/{raced['session_id']}", mine["token"])
        refresh = auth.refresh(raced["refresh_token"])
        ended, refreshed = await asyncio.gather(*((end, refresh) if revoked_first else (refresh, end)))
        if not revoked_first:
            ended, refreshed = refreshed, ended
        assert ended.status_code == 204
        if refreshed.status_code == 200:
            assert not await auth.accepts(refreshed.json()["access_token"])
            assert (await auth.refresh(refreshed.json()["refresh_token"])).status_code == 400
        assert (await auth.refresh(raced["refresh_token"])).status_code == 400


async def test_a_refresh_that_races_the_end_of_all_never_brings_the_session_back(auth: Auth) -> None:
    for user in DEMO_USERS:
        mine, raced = await auth.login(*user), await auth.login(*user)
        ended, *refreshed = await asyncio.gather(
            auth.delete("/api/sessions", mine["token"]), *(auth.refresh(raced["refresh_token"]) for _ in range(4))
        )
        assert ended.status_code == 204
        for response in refreshed:
            if response.status_code == 200:
                assert not await auth.accepts(response.json()["access_token"])
                assert (await auth.refresh(response.json()["refresh_token"])).status_code == 400


async def test_a_revocation_outlives_every_token_of_its_session(make_settings: MakeSettings) -> None:
    async with running(make_settings(access_ttl_seconds=3600)) as long, running(make_settings()) as short:
        tokens = await long.login()
        await long.refresh(tokens["refresh_token"])
        session = await _session(long, tokens)
        revocation = short.resources.sessions.end.ending.guard.of_session(session, clock.now())
    assert revocation.expires_at > tokens["expires_at"] + 10 + 5


async def test_nothing_stored_can_be_presented(auth: Auth) -> None:
    tokens = await auth.login()
    await auth.refresh(tokens["refresh_token"])
    state = (await _session(auth, tokens)).refresh
    for stored in (state.current_hash, state.previous_hash, state.salt, state.mark_key):
        assert (await auth.refresh(f"{tokens['session_id']}.{stored}")).status_code == 400
