from collections.abc import AsyncIterator

import httpx
import pytest

from tests.service.web.conftest import MOST_BODY_BYTES


async def _chunks(count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield b" " * 1024


async def test_ids_go_in_and_out(client: httpx.AsyncClient) -> None:
    sent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    response = await client.get("/livez", headers={"traceparent": sent, "x-request-id": "mine-1"})
    assert response.headers["x-request-id"] == "mine-1"
    assert response.headers["traceparent"].split("-")[1] == sent.split("-")[1]
    assert response.headers["traceparent"] != sent


@pytest.mark.parametrize("hostile", ["", "a b", "a\tb", "x" * 129, "é"])
async def test_a_request_id_that_could_do_harm_in_a_log_is_replaced(client: httpx.AsyncClient, hostile: str) -> None:
    response = await client.get("/livez", headers={b"x-request-id": hostile.encode("latin-1")})
    assert response.headers["x-request-id"] != hostile


async def test_a_declared_body_that_is_too_large_is_refused_unread(client: httpx.AsyncClient) -> None:
    response = await client.post("/echo", content=b" " * (MOST_BODY_BYTES + 1))
    assert (response.status_code, response.json()["code"]) == (413, "payload-too-large")


async def test_a_body_that_grows_too_large_is_refused(client: httpx.AsyncClient) -> None:
    response = await client.post("/echo", content=_chunks(4), headers={"content-type": "application/json"})
    assert (response.status_code, response.json()["code"]) == (413, "payload-too-large")


async def test_headers_that_are_too_large_are_refused(client: httpx.AsyncClient) -> None:
    response = await client.get("/livez", headers={"x-much": "a" * 40_000})
    assert (response.status_code, response.json()["code"]) == (431, "headers-too-large")


async def test_requests_are_counted_by_route_and_not_by_path(client: httpx.AsyncClient) -> None:
    await client.get("/items/one")
    await client.get("/items/two")
    text = (await client.get("/metrics")).text
    assert 'mayfly_http_requests_total{method="GET",route="/items/{name}",status="200"} 2.0' in text
    assert "/items/one" not in text


async def test_head_is_get_without_its_content(client: httpx.AsyncClient) -> None:
    got, head = await client.get("/livez"), await client.head("/livez")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == got.headers["content-length"]


async def test_a_path_with_a_slash_too_many_is_not_another_path(client: httpx.AsyncClient) -> None:
    assert (await client.get("/livez/")).status_code == 404


async def test_a_connection_with_an_unread_body_is_not_used_again(client: httpx.AsyncClient) -> None:
    response = await client.post("/echo", content=b" " * (MOST_BODY_BYTES + 1))
    assert response.headers["connection"] == "close"
