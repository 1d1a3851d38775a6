"""Who may do what at the processor: each route of its contract, asked by everyone."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from shared.testing.tokens import TokenFactory, new_signing_key
from shared.tokens.compact import ACCESS_TOKEN_TYPE
from shared.tokens.signature import sign
from tests.service.processor.conftest import MakeSettings
from tests.service.processor.running import Processor, processor
from tests.service.tokens.canned_server import CannedServer
from tests.support import access
from tests.support.access import Operation
from tests.support.names import unique_name

CONTRACT = access.contract(Path(__file__).parents[2] / "contract" / "processor" / "openapi.json")
OPEN = access.OPERATIONAL
SECURED = [operation for operation in CONTRACT if operation.scopes is not None]
TAKES_JSON = [operation for operation in CONTRACT if operation.members is not None]
# A PUT makes one of the asker's own, whoever else has one of that name (see test_stored_pipelines).
OWNED = [operation for operation in SECURED if operation.parameters and operation.method != "PUT"]


def refused_tokens(tokens: TokenFactory) -> dict[str, str | None]:
    return {
        "anonymous": None,
        "nonsense": "a.b.c",
        "expired": tokens.mint(iat=1, exp=2),
        "for another service": tokens.mint(aud="someone-else"),
        "of another issuer": tokens.mint(iss="http://evil.test"),
        "signed by a stranger": TokenFactory().mint(),
    }


def good_tokens(tokens: TokenFactory) -> dict[str, str]:
    return {
        "user": tokens.mint(),
        "who may only read": tokens.mint(scope="jobs:read"),
        "who may only write": tokens.mint(scope="jobs:write"),
        "admin": tokens.mint(scope="admin jobs:read jobs:write", roles=["user", "admin"]),
        "client": tokens.mint(sub="demo-service", client_id="demo-service", sid=None, roles=None, username=None),
        "without any scope": tokens.mint(scope=""),
        "with a role and no scope": tokens.mint(scope="", roles=["admin"]),
        "with scopes that only begin alike": tokens.mint(scope="jobs jobs:reader jobs:* JOBS:READ jobs:write:all"),
    }


def test_each_open_route_is_open_for_a_reason() -> None:
    assert {str(operation) for operation in CONTRACT if operation.scopes is None} == set(OPEN)


@pytest.mark.parametrize("operation", SECURED, ids=str)
async def test_without_a_good_token_nothing_is_told(
    common_processor: Processor, tokens: TokenFactory, operation: Operation
) -> None:
    del common_processor.http.headers["authorization"]
    try:
        for role, token in refused_tokens(tokens).items():
            answer = await access.ask(common_processor.http, operation, token)
            assert access.is_refused(answer), (role, answer.text)
    finally:
        common_processor.http.headers.update(common_processor.headers_of(common_processor.owner))


@pytest.mark.parametrize("operation", SECURED, ids=str)
async def test_a_good_token_reaches_as_far_as_its_scope(
    common_processor: Processor, tokens: TokenFactory, operation: Operation
) -> None:
    for role, token in good_tokens(tokens).items():
        answer = await access.ask(common_processor.http, operation, token)
        if operation.is_for(token):
            assert answer.status_code not in {401, 403}, (role, answer.text)
            assert answer.status_code < 500, (role, answer.text)
        else:
            assert access.lacks_scope(answer), (role, answer.text)


async def new_job(processor: Processor) -> str:
    answer = await processor.submit("test", processing_id=unique_name("job"))
    assert answer.status_code == 200, answer.text
    return str(answer.json()["processing_id"])


async def new_pipeline(processor: Processor) -> str:
    answer = await processor.http.put(f"/api/pipelines/{(name := unique_name('pipeline'))}", json={})
    assert answer.status_code == 201, answer.text
    return name


# Makes one of its owner's, done, and gives its id.
MAKE: dict[str, Callable[[Processor], Awaitable[str]]] = {"processing_id": new_job, "name": new_pipeline}


@pytest.mark.parametrize("operation", OWNED, ids=str)
async def test_what_is_anothers_is_as_unknown_as_what_is_not_there(
    common_processor: Processor, tokens: TokenFactory, operation: Operation
) -> None:
    [parameter] = operation.parameters
    assert parameter in MAKE, f"say in MAKE how to make a {parameter} of another user's"
    thing, nothing = await MAKE[parameter](common_processor), unique_name("job")
    everyone = {"sub": unique_name("usr"), "scope": "admin jobs:read jobs:write"}
    others_token = {"stranger": tokens.mint(**everyone), "of the same name": tokens.mint(**everyone, username="ada")}
    for who, token in others_token.items():
        others = await access.ask(common_processor.http, operation, token, operation.filled(thing))
        nobodys = await access.ask(common_processor.http, operation, token, operation.filled(nothing))
        assert others.status_code == 404, who
        assert access.alike(others, thing, nobodys, nothing), (others.text, nobodys.text)
    own = common_processor.tokens.mint(sub=common_processor.owner)
    answer = await access.ask(common_processor.http, operation, own, operation.filled(thing))
    assert answer.status_code < 400 or answer.json()["code"] == "job-ended", answer.text


@pytest.mark.parametrize("path", ["/api/process", "/api/preview"])
async def test_anothers_input_is_as_unknown_as_one_that_is_not_there(common_processor: Processor, path: str) -> None:
    source = await common_processor.put("secret.ndjson", b'{"a": 1}\n')
    stranger = common_processor.headers_of(unique_name("usr"))
    answers = [
        await common_processor.http.post(path, json={"data_source": one, "config": {}}, headers=stranger)
        for one in (source, source.replace("secret", "nothing"))
    ]
    assert access.alike(answers[0], "secret", answers[1], "nothing"), [answer.text for answer in answers]
    assert answers[0].status_code in {403, 422}
    assert '"a"' not in answers[0].text


async def test_a_list_holds_ones_own_alone(common_processor: Processor) -> None:
    job = await new_job(common_processor)
    stranger = common_processor.headers_of(unique_name("usr"))
    answer = await common_processor.http.get("/api/process", headers=stranger)
    assert answer.status_code == 200
    assert job not in answer.text
    assert job in (await common_processor.http.get("/api/process")).text


HIDDEN = {"owner", "sub", "user_id", "status", "attempts", "result_location", "key", "bucket", "url", "__proto__"}


@pytest.mark.parametrize("operation", TAKES_JSON, ids=str)
async def test_a_body_can_not_set_what_its_route_does_not_name(
    common_processor: Processor, operation: Operation
) -> None:
    """Mass assignment."""
    for name in sorted(HIDDEN - (operation.members or frozenset())):
        answer = await common_processor.http.request(operation.method, operation.filled("x"), json={name: "admin"})
        assert answer.status_code == 422, answer.text
        wrong = {error["pointer"]: error["detail"] for error in answer.json()["errors"]}
        assert wrong[f"/{name}"].startswith("is not known here; ")


@pytest.mark.parametrize("operation", TAKES_JSON, ids=str)
async def test_a_member_given_twice_is_refused_by_each_route(common_processor: Processor, operation: Operation) -> None:
    name = json.dumps(min(operation.members or {"x"}))
    answer = await common_processor.http.request(
        operation.method,
        operation.filled("x"),
        content=f"{{{name}: 1, {name}: 2}}",
        headers={"content-type": "application/json"},
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid-request"), answer.text
    assert "twice" in answer.json()["detail"]


async def test_a_flood_of_made_up_keys_is_one_question_to_auth(
    make_settings: MakeSettings, tokens: TokenFactory
) -> None:
    stranger = new_signing_key("ES256")
    forged = [
        sign({"typ": ACCESS_TOKEN_TYPE}, tokens.claims(), replace(stranger, kid=f"kid-{number}"))
        for number in range(100)
    ]
    async with (
        CannedServer(json.dumps(tokens.jwks()).encode()) as auth,
        processor(make_settings(jwks_url=auth.url), tokens, "usr_ada") as running,
    ):
        before = auth.requests
        asked = [running.http.get("/api/process", headers={"authorization": f"Bearer {token}"}) for token in forged]
        assert {answer.status_code for answer in await asyncio.gather(*asked)} == {401}
        assert auth.requests - before <= 1
        assert (await running.http.get("/api/process")).status_code == 200
