"""Token Status Lists: what a third party reads in them of each kind of revocation, and what it never reads."""

import asyncio
from dataclasses import replace
from typing import Any

import httpx
import pytest

from services.auth.domain.status_lists import LANES, SLOTS_IN_SECOND, Slot, StatusList
from services.auth.stores.status_lists import StatusLists
from services.auth.stores.token_slots import TokenSlots
from shared.clients.aws import open_dynamodb
from shared.tokens.compact import decode_segment
from shared.tokens.revocation import Revocation, Target
from shared.tokens.signature import build_verification_key, verify
from tests.service.auth.conftest import MakeSettings
from tests.service.auth.running import Auth, oauth_error, running
from tests.service.auth.slow_link import SlowLink
from tests.support.status_lists import reference, segment, status_at

ISSUER = "http://auth.test"


@pytest.fixture
async def auth(auth: Auth) -> Auth:
    """One that hears of revocations, and looks at them for every list that it publishes."""
    await auth.until_it_hears()
    _always_look(auth)
    return auth


def _always_look(auth: Auth) -> None:
    publish = auth.resources.status_lists.publish
    publish.freshness = replace(publish.freshness, look_seconds=0)


async def _list(auth: Auth, token: str, **headers: str) -> httpx.Response:
    """The list that the token names."""
    uri, _ = reference(token)
    return await auth.http.get(uri.removeprefix(ISSUER), headers=headers)


async def _status(auth: Auth, token: str) -> int:
    response = await _list(auth, token)
    assert response.status_code == 200, response.text
    return status_at(response.text, reference(token)[1])


async def _statuses(auth: Auth, *tokens: str) -> list[int]:
    return [await _status(auth, token) for token in tokens]


async def _client_token(auth: Auth) -> str:
    return str((await auth.client_token()).json()["access_token"])


async def _revoke(auth: Auth, kind: str, value: str | None) -> None:
    admin = (await auth.login("admin", "admin-demo-only"))["token"]
    body = {"kind": kind} if value is None else {"kind": kind, "value": value}
    response = await auth.post("/api/admin/revocations", admin, body)
    assert response.status_code in {200, 201}, response.text


async def test_a_list_is_a_signed_token_of_the_drafts_form(auth: Auth) -> None:
    token = (await auth.login())["token"]
    response = await _list(auth, token)
    assert response.headers["content-type"] == "application/statuslist+jwt"
    assert response.headers["cache-control"] == "public, max-age=10"
    assert response.headers["access-control-allow-origin"] == "*"
    [jwk] = (await auth.http.get("/.well-known/jwks.json")).json()["keys"]
    assert segment(response.text, 0) == {"typ": "statuslist+jwt", "alg": jwk["alg"], "kid": jwk["kid"]}
    signing_input, _, signature = response.text.rpartition(".")
    key = build_verification_key({name: jwk[name] for name in ("kty", "crv", "x", "y")}, jwk["kid"], "ES256")
    assert verify(
        key, signing_input.encode(), decode_segment(signature.encode().translate(bytes.maketrans(b"-_", b"+/")))
    )
    claims = segment(response.text, 1)
    assert claims["sub"] == reference(token)[0]
    assert (claims["iss"], claims["ttl"], claims["exp"] - claims["iat"]) == (ISSUER, 30, 100)
    assert claims["status_list"].keys() == {"bits", "lst"}


async def test_no_list_is_an_access_token(auth: Auth) -> None:
    response = await _list(auth, (await auth.login())["token"])
    assert (await auth.get("/api/me", response.text)).status_code == 401


async def test_a_token_with_a_status_is_accepted_by_our_own_verifier(auth: Auth) -> None:
    assert await auth.accepts((await auth.login())["token"])


async def test_a_token_that_is_not_revoked_reads_valid(auth: Auth) -> None:
    assert await _statuses(auth, (await auth.login())["token"], await _client_token(auth)) == [0, 0]


async def test_a_revoked_token_alone_reads_invalid(auth: Auth) -> None:
    logged_in = await auth.login()
    refreshed = (await auth.refresh(logged_in["refresh_token"])).json()["access_token"]
    await auth.http.post("/oauth2/revoke", data={"token": refreshed})
    assert await _statuses(auth, logged_in["token"], refreshed) == [0, 1]


async def test_every_token_of_a_session_that_ended_reads_invalid(auth: Auth) -> None:
    logged_in, other = await auth.login(), await auth.login()
    first = (await auth.refresh(logged_in["refresh_token"])).json()
    repeated = (await auth.refresh(logged_in["refresh_token"])).json()
    assert first["refresh_token"] == repeated["refresh_token"]
    await auth.post("/api/logout", first["access_token"])
    tokens = logged_in["token"], first["access_token"], repeated["access_token"], other["token"]
    assert await _statuses(auth, *tokens) == [1, 1, 1, 0]


async def test_tokens_that_were_refreshed_at_once_all_end_with_the_session(auth: Auth) -> None:
    refresh_token = (await auth.login())["refresh_token"]
    answers = [response.json() for response in await asyncio.gather(*(auth.refresh(refresh_token) for _ in range(5)))]
    tokens = [answer["access_token"] for answer in answers]
    assert len({reference(token) for token in tokens}) == 5
    await auth.post("/api/logout", tokens[0])
    assert await _statuses(auth, *tokens) == [1] * 5


async def test_a_users_revocation_ends_what_was_issued_until_then(auth: Auth) -> None:
    before, other = await auth.login("alice", "wonderland-demo"), await auth.login()
    await _revoke(auth, "user", "user_alice")
    after = await auth.login("alice", "wonderland-demo")
    assert await _statuses(auth, before["token"], after["token"], other["token"]) == [1, 0, 0]


async def test_a_user_who_ended_all_sessions_has_no_valid_token_left(auth: Auth) -> None:
    tokens = [(await auth.login("alice", "wonderland-demo"))["token"] for _ in range(3)]
    await auth.delete("/api/sessions", tokens[0])
    assert await _statuses(auth, *tokens) == [1, 1, 1]


@pytest.mark.parametrize("kind", ["client", "user"])
async def test_a_clients_revocation_ends_its_own_tokens_issued_until_then(auth: Auth, kind: str) -> None:
    """A client's own token has the client as its subject: a revocation of that "user" ends it too."""
    before, of_session = await _client_token(auth), (await auth.login())["token"]
    await _revoke(auth, kind, "demo-service")
    after = await _client_token(auth)
    assert await _statuses(auth, before, after, of_session) == [1, 0, 0]


async def test_a_clients_revocation_ends_its_sessions_tokens(auth: Auth) -> None:
    before, of_client = (await auth.login())["token"], await _client_token(auth)
    await _revoke(auth, "client", "mayfly-login")
    assert await _statuses(auth, before, (await auth.login())["token"], of_client) == [1, 0, 0]


async def test_a_revocation_of_everything_ends_everything_issued_until_then(auth: Auth) -> None:
    before = [(await auth.login())["token"], await _client_token(auth)]
    await _revoke(auth, "all", None)
    assert await _statuses(auth, *before, (await auth.login())["token"], await _client_token(auth)) == [1, 1, 0, 0]


async def test_a_keys_revocation_ends_all_that_it_signed(auth: Auth) -> None:
    tokens = [(await auth.login())["token"], await _client_token(auth)]
    assert await _statuses(auth, *tokens) == [0, 0]
    auth.resources.backends.feed.revoked.add(
        Revocation(Target("key", segment(tokens[0], 0)["kid"]), not_before=0, expires_at=2_000_000_000)
    )
    assert await _statuses(auth, *tokens) == [1, 1]


async def test_both_instances_name_the_same_list_and_never_the_same_place(auth: Auth, other_auth: Auth) -> None:
    tokens = [await _client_token(each) for each in (auth, other_auth) for _ in range(5)]
    assert len({reference(token) for token in tokens}) == 10
    lists = {reference(token)[0] for token in tokens}
    assert len(lists) <= 2  # one, unless a window ended meanwhile


async def test_an_instance_tells_what_another_has_revoked(auth: Auth, other_auth: Auth) -> None:
    token = (await auth.login())["token"]
    await auth.post("/api/logout", token)
    while not other_auth.resources.backends.feed.revoked.values("sid"):
        await asyncio.sleep(0.05)
    _always_look(other_auth)
    assert await _status(other_auth, token) == 1


async def test_a_list_is_not_sent_again_while_it_says_the_same(auth: Auth) -> None:
    logged_in = await auth.login()
    etag = (await _list(auth, logged_in["token"])).headers["etag"]
    same = await _list(auth, logged_in["token"], **{"if-none-match": etag})
    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", etag)
    await auth.post("/api/logout", logged_in["token"])
    assert (await _list(auth, logged_in["token"], **{"if-none-match": etag})).status_code == 200


@pytest.mark.parametrize("list_id", ["3582d9-aaaaaaaaaaaaaaaa", "nonsense", "0-", "3582d9-aaaaaaaaaaaaaaaa%0a"])
async def test_a_list_that_no_token_names_is_not_found(auth: Auth, list_id: str) -> None:
    response = await auth.http.get(f"/oauth2/status-lists/{list_id}")
    assert response.status_code == 404
    oauth_error(response)


async def test_without_news_of_revocations_there_is_no_list(make_settings: MakeSettings, auth: Auth) -> None:
    """Better none than one that says too little: its readers go on with theirs until it expires."""
    token = (await auth.login())["token"]
    await auth.resources.backends.feed.stop()
    await asyncio.sleep(auth.resources.settings.revocation_max_staleness_seconds + 0.1)
    response = await _list(auth, token)
    assert response.status_code == 503
    assert response.headers["retry-after"]


async def test_a_list_goes_on_without_dynamodb_while_nothing_else_is_revoked(
    make_settings: MakeSettings, aws_endpoint_url: str
) -> None:
    async with SlowLink(aws_endpoint_url) as aws, running(make_settings(aws_endpoint_url=aws.url)) as frail:
        await frail.until_it_hears()
        _always_look(frail)
        token = (await frail.login())["token"]
        assert await _status(frail, token) == 0
        aws.delay_seconds = 30
        assert await _status(frail, token) == 0
        aws.delay_seconds = 0


async def test_lists_that_do_not_exist_hold_up_no_other(auth: Auth) -> None:
    token = (await auth.login())["token"]
    flood = [auth.http.get(f"/oauth2/status-lists/3582d9-{'a' * 14}{each}") for each in ("aa", "bb", "cc", "dd")]
    *refused, good = await asyncio.gather(*flood, _list(auth, token))
    assert [response.status_code for response in (*refused, good)] == [404] * 4 + [200]


async def refreshed(auth: Auth, refresh_token: str) -> dict[str, Any]:
    """What a client does that is told to ask again: it sends the same refresh token."""
    response = await auth.refresh(refresh_token)
    while response.status_code == 503:
        response = await auth.refresh(refresh_token)
    answer: dict[str, Any] = response.json()
    return answer


async def test_a_session_that_refreshes_without_pause_gets_tokens_without_a_status(auth: Auth) -> None:
    logged_in = await auth.login()
    answer: dict[str, Any] = logged_in
    for _ in range(100):
        answer = await refreshed(auth, answer["refresh_token"])
    assert "status" not in segment(answer["access_token"], 1)
    assert await auth.accepts(answer["access_token"])


async def test_lanes_and_lists_that_are_full_have_successors(make_settings: MakeSettings) -> None:
    settings, issued_at = make_settings(), 1_795_560_000
    async with open_dynamodb(settings) as dynamodb:
        slots = TokenSlots(StatusLists(dynamodb, settings.table_prefix))
        taken = [await slots.take("web", "key", None, issued_at) for _ in range((LANES + 1) * SLOTS_IN_SECOND)]
        others = [await slots.take("web", "key", None, issued_at + 1)]
        elsewhere = await TokenSlots(StatusLists(dynamodb, settings.table_prefix)).take("web", "key", None, issued_at)
        first = StatusList("web", "key", None, issued_at // 512)
        found = await StatusLists(dynamodb, settings.table_prefix).get(first.following().list_id)
    assert len({*taken, *others, elsewhere}) == (LANES + 1) * SLOTS_IN_SECOND + 2
    assert {slot.list_id for slot in taken} == {first.list_id, first.following().list_id}
    assert {slot.issued_at for slot in taken} == {issued_at}
    assert found == first.following()
    assert isinstance(elsewhere, Slot)


async def test_tokens_issued_at_once_get_places_of_their_own(make_settings: MakeSettings) -> None:
    settings = make_settings()
    async with open_dynamodb(settings) as dynamodb:
        slots = TokenSlots(StatusLists(dynamodb, settings.table_prefix))
        taken = await asyncio.gather(*(slots.take("web", "key", "web", 1_795_560_000) for _ in range(200)))
        row = await dynamodb.get_item(
            TableName=f"{settings.table_prefix}status-lists", Key={"list_id": {"S": taken[0].list_id}}
        )
    assert len(set(taken)) == 200
    assert int(row["Item"]["lanes"]["N"]) == 4
