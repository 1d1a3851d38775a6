import httpx
import pytest

PROBLEM = "application/problem+json"


async def test_a_problem_has_all_members_and_the_trace(client: httpx.AsyncClient) -> None:
    trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"
    response = await client.get("/nowhere", headers={"traceparent": f"00-{trace_id}-00f067aa0ba902b7-01"})
    assert response.status_code == 404
    assert response.headers["content-type"] == PROBLEM
    assert response.json() == {
        "type": "urn:mayfly:problem:not-found",
        "title": "Not Found",
        "status": 404,
        "detail": "There is nothing at /nowhere. /docs lists what is here.",
        "code": "not-found",
        "trace_id": trace_id,
    }


async def test_what_depends_on_others_says_when_to_come_back(client: httpx.AsyncClient) -> None:
    response = await client.get("/down")
    assert (response.status_code, response.headers["retry-after"]) == (503, "3")


async def test_a_bug_is_a_problem_that_shows_nothing_of_our_inside(client: httpx.AsyncClient) -> None:
    trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"
    response = await client.get("/bug", headers={"traceparent": f"00-{trace_id}-00f067aa0ba902b7-01"})
    assert (response.status_code, response.headers["content-type"]) == (500, PROBLEM)
    assert "secret inside" not in response.text
    assert response.json()["trace_id"] == response.headers["traceparent"].split("-")[1] == trace_id
    metrics = (await client.get("/metrics")).text
    assert 'mayfly_http_requests_total{method="GET",route="/bug",status="500"}' in metrics


async def test_a_method_that_is_not_there_names_those_that_are(client: httpx.AsyncClient) -> None:
    response = await client.put("/echo")
    assert (response.status_code, response.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize(
    ("body", "pointer", "words"),
    [
        ({"name": 3}, "/name", "must be a valid string"),
        ({"name": "a", "count": "3"}, "/count", "valid integer"),
        ({"name": "a", "count": True}, "/count", "valid integer"),
        ({}, "/name", "is missing"),
        ({"name": "a", "nmae": "b"}, "/nmae", "is not known here"),
        ([], "", "must be an object"),
        ({"name": "a\0"}, "/name", "NUL"),
        ({"name": "a", "config": {"x": [1, "\0"]}}, "/config/x/1", "NUL"),
        ({"name": "a", "either": 1}, "/either", "must be a valid string, or must be a valid list"),
    ],
)
async def test_an_invalid_body_names_the_field_and_what_would_be_right(
    client: httpx.AsyncClient, body: object, pointer: str, words: str
) -> None:
    response = await client.post("/echo", json=body)
    assert (response.status_code, response.headers["content-type"]) == (422, PROBLEM)
    [error] = response.json()["errors"]
    assert error["pointer"] == pointer
    assert words in error["detail"]


@pytest.mark.parametrize(
    ("raw_body", "status"),
    [
        (b"{", 400),
        (b"not json", 400),
        (b'{"name": "\xff"}', 400),
        (b'{"name": "\\ud800"}', 422),
        (b'{"name": "a", "config": {"x": NaN}}', 422),
        (b'{"name": "a", "config": {"x": ' + b"[" * 60 + b"]" * 60 + b"}}", 422),
        (b'{"name": "a", "config": ' + b"[" * 900 + b"]" * 900 + b"}", 422),
        (b"", 422),
    ],
)
async def test_garbage_is_a_client_error(client: httpx.AsyncClient, raw_body: bytes, status: int) -> None:
    response = await client.post("/echo", content=raw_body, headers={"content-type": "application/json"})
    assert (response.status_code, response.headers["content-type"]) == (status, PROBLEM), response.text


@pytest.mark.parametrize(
    ("raw_body", "words"),
    [
        (b'{"name": "a", "name": "b"}', "same member twice"),
        (b'{"name": "a", "n\\u0061me": "a"}', "same member twice"),
        (b'{"name": "a", "config": {"x": {"y": 1, "y": 1}}}', "same member twice"),
        ('{"name": "a"}'.encode("utf-16"), "not UTF-8 at byte 0"),
        ('{"name": "a"}'.encode("utf-16-le"), "not valid JSON"),
        ('{"name": "a"}'.encode("utf-32-be"), "not valid JSON"),
        ('{"name": "é"}'.encode("latin-1"), "not UTF-8 at byte 10"),
        (b'\xef\xbb\xbf{"name": "a"}', "not valid JSON"),
        (b'{"name": "a"}{"name": "b"}', "not valid JSON"),
    ],
    ids=range(9),
)
async def test_json_that_two_could_read_differently_is_refused(
    client: httpx.AsyncClient, raw_body: bytes, words: str
) -> None:
    for kind in ("application/json", "application/json; charset=utf-16", "application/merge-patch+json"):
        response = await client.post("/echo", content=raw_body, headers={"content-type": kind})
        assert (response.status_code, response.json()["code"]) == (400, "invalid-request"), response.text
        assert words in response.json()["detail"]


async def test_a_form_takes_each_field_once(client: httpx.AsyncClient) -> None:
    kind = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
    assert (await client.post("/form", content="a=1&b=%C3%A9&c=", headers=kind)).json() == {"a": "1", "b": "é"}
    for bad in ("a=1&a=2", "a=%00", "a=%ff", "&".join(f"f{n}=1" for n in range(60))):
        response = await client.post("/form", content=bad, headers=kind)
        assert response.status_code == 400, bad
    assert (await client.post("/form", json={"a": 1})).status_code == 400
