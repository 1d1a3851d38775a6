"""Over a real socket: requests that no client would send. Each gets one answer, a problem, and the server goes on."""

import asyncio
import json
from pathlib import Path

import httpx
import pytest

from shared.testing.server import Server
from tests.support.raw_http import RawConnection, raw_request

GET = b"GET /livez HTTP/1.1\r\nhost: edge\r\n"
POST = b"POST /echo HTTP/1.1\r\nhost: edge\r\ncontent-type: application/json\r\n"
BODY = b'{"name": "a"}'
MIB = 1 << 20


def memory_bytes(server: Server) -> int:
    """The resident memory of the server's process."""
    pages = int(Path(f"/proc/{server.child.pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096


@pytest.fixture(autouse=True)
async def _still_serves(server: Server) -> None:
    """Whatever the test before did."""
    assert (await raw_request(server.port, GET + b"\r\n")).status == 200


@pytest.mark.parametrize(
    "head",
    [
        b"BREW /livez HTTP/1.1\r\nhost: edge\r\n\r\n",
        b"get /livez HTTP/1.1\r\nhost: edge\r\n\r\n",
        b"GET /livez HTTP/9.9\r\nhost: edge\r\n\r\n",
        b"GET livez HTTP/1.1\r\nhost: edge\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nhost: edge\r\n\r\n",
        b"CONNECT example.org:443 HTTP/1.1\r\nhost: edge\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        GET + b"no colon\r\n\r\n",
        GET + b"a b: c\r\n\r\n",
        GET + b"x : c\r\n\r\n",
        GET + b"x: a\0b\r\n\r\n",
        GET + b"x: a\rb\r\n\r\n",
        GET + b" folded: line\r\n\r\n",
        POST + b"content-length: 13\r\ncontent-length: 14\r\n\r\n" + BODY,
        POST + b"content-length: 13\r\ncontent-length: 13\r\n\r\n" + BODY,
        POST + b"content-length: 13, 13\r\n\r\n" + BODY,
        POST + b"content-length: +13\r\n\r\n" + BODY,
        POST + b"content-length: 0x0d\r\n\r\n" + BODY,
        POST + b"content-length: -1\r\n\r\n" + BODY,
        POST + b"content-length: " + b"9" * 5000 + b"\r\n\r\n" + BODY,
        POST + b"content-length: 13\r\ntransfer-encoding: chunked\r\n\r\nd\r\n" + BODY + b"\r\n0\r\n\r\n",
        POST + b"transfer-encoding: chunked\r\ncontent-length: 13\r\n\r\nd\r\n" + BODY + b"\r\n0\r\n\r\n",
        POST + b"transfer-encoding: chunked, identity\r\n\r\nd\r\n" + BODY + b"\r\n0\r\n\r\n",
        POST + b"transfer-encoding: xchunked\r\n\r\nd\r\n" + BODY + b"\r\n0\r\n\r\n",
    ],
    ids=repr,
)
async def test_what_two_could_read_differently_is_a_problem_and_ends_the_connection(
    server: Server, head: bytes
) -> None:
    answer = await raw_request(server.port, head)
    assert (answer.status, answer.problem) == (400, "invalid-request")
    assert answer.is_closed
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "chunks", [b"z\r\n", b"-1\r\n", b"0x5\r\n", b"5\r\nabcdefgh\r\n", b"ffffffffffffffffff\r\n", b"5 \n"], ids=repr
)
async def test_chunks_that_are_none_are_a_problem(server: Server, chunks: bytes) -> None:
    answer = await raw_request(server.port, POST + b"transfer-encoding: chunked\r\n\r\n", chunks)
    assert (answer.status, answer.problem) == (400, "invalid-request")
    assert answer.is_closed


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET /livez HTTP/1.1\r\n", 400),
        (b"GET /livez HTTP/1.1\r\nhost: edge\r\nHost: edge\r\n", 400),
        (b"GET /livez HTTP/1.1\r\nhost: edge\r\nx: y\r\nHost: evil.test\r\n", 400),
        (b"GET /livez HTTP/1.1\r\nhost: edge\r\nx: y\r\nx: z\r\n", 200),
        (b"GET /livez HTTP/1.0\r\n", 200),
    ],
    ids=repr,
)
async def test_a_request_names_one_host(server: Server, head: bytes, status: int) -> None:
    assert (await raw_request(server.port, head + b"\r\n")).status == status


@pytest.mark.parametrize("target", [b"http://edge/livez", b"http://other.test:99/livez", b"/livez?a=b#c", b"/%6civez"])
async def test_a_target_in_another_form_leads_to_the_same_path(server: Server, target: bytes) -> None:
    assert (await raw_request(server.port, b"GET " + target + b" HTTP/1.1\r\nhost: edge\r\n\r\n")).status == 200


@pytest.mark.parametrize("method", [b"PROPFIND", b"TRACE", b"PATCH"])
async def test_a_method_that_is_not_for_this_path_is_405(server: Server, method: bytes) -> None:
    answer = await raw_request(server.port, method + b" /livez HTTP/1.1\r\nhost: edge\r\n\r\n")
    assert (answer.status, answer.problem) == (405, "method-not-allowed")
    assert answer.headers["allow"] == "GET, HEAD"


async def test_a_header_of_20_mb_is_refused_early_and_costs_no_memory(server: Server) -> None:
    before = memory_bytes(server)
    answer = await raw_request(server.port, GET + b"x: ", *[b"a" * MIB] * 20, b"\r\n\r\n")
    assert (answer.status, answer.problem) == (431, "headers-too-large")
    assert memory_bytes(server) - before < 8 * MIB


async def test_a_million_headers_are_refused_early_and_cost_no_memory(server: Server) -> None:
    before = memory_bytes(server)
    answer = await raw_request(server.port, GET, *[b"a: b\r\n" * 50_000] * 20, b"\r\n")
    assert (answer.status, answer.problem) == (431, "headers-too-large")
    assert memory_bytes(server) - before < 16 * MIB


async def test_a_target_of_20_mb_is_refused_early(server: Server) -> None:
    answer = await raw_request(server.port, b"GET /", *[b"a" * MIB] * 20, b" HTTP/1.1\r\n\r\n")
    assert (answer.status, answer.problem) == (431, "headers-too-large")


async def test_many_such_connections_at_once_do_not_keep_others_waiting(server: Server) -> None:
    async def flood() -> int:
        return (await raw_request(server.port, GET + b"x: ", *[b"a" * MIB] * 4)).status

    floods = [asyncio.create_task(flood()) for _ in range(30)]
    assert (await raw_request(server.port, GET + b"\r\n")).status == 200
    assert set(await asyncio.gather(*floods)) == {431}


async def test_header_fields_that_come_too_slowly_are_a_408(server: Server) -> None:
    async with RawConnection(server.port) as connection:
        await connection.send(GET)
        answer = await connection.answer()
    assert answer is not None
    assert (answer.status, answer.problem, answer.is_closed) == (408, "header-timeout", True)


async def test_header_fields_that_drip_are_a_408_too(server: Server) -> None:
    async with RawConnection(server.port) as connection:
        await connection.send(GET)
        for _ in range(8):
            await connection.send(b"x: y\r\n")
            await asyncio.sleep(0.2)
        answer = await connection.answer()
    assert answer is not None
    assert (answer.status, answer.problem) == (408, "header-timeout")


async def test_a_connection_that_says_nothing_is_ended_in_silence(server: Server) -> None:
    async with RawConnection(server.port) as connection:
        assert await connection.answer() is None


async def test_a_connection_that_sends_empty_lines_is_ended_in_silence(server: Server) -> None:
    async with RawConnection(server.port) as connection:
        await connection.send(GET + b"\r\n")
        assert await connection.answer() is not None
        await connection.send(b"\r\n")
        assert await connection.answer() is None


async def test_a_large_body_behind_an_early_answer_is_no_head(server: Server) -> None:
    body = b" " * MIB
    async with RawConnection(server.port) as connection:
        await connection.send(b"POST /nowhere HTTP/1.1\r\nhost: edge\r\ncontent-length: 1048576\r\n\r\n")
        first = await connection.answer()
        await connection.send(body, GET + b"\r\n")
        second = await connection.answer()
    assert first is not None
    assert second is not None
    assert (first.status, second.status) == (404, 200)


async def test_a_second_request_has_its_own_time(server: Server) -> None:
    async with RawConnection(server.port) as connection:
        for _ in range(3):
            await connection.send(GET + b"\r\n")
            answer = await connection.answer()
            assert answer is not None
            assert answer.status == 200
            await asyncio.sleep(0.5)
        await connection.send(GET)
        last = await connection.answer()
    assert last is not None
    assert last.status == 408


async def test_a_body_that_never_comes_is_a_408(server: Server) -> None:
    answer = await raw_request(server.port, POST + b"content-length: 13\r\n\r\n")
    assert (answer.status, answer.problem, answer.is_closed) == (408, "body-timeout", True)


async def test_a_body_that_drips_is_a_408(server: Server) -> None:
    async with RawConnection(server.port) as connection:
        await connection.send(POST + b"content-length: 1000\r\n\r\n")
        for _ in range(8):
            await connection.send(b" ")
            await asyncio.sleep(0.2)
        answer = await connection.answer()
    assert answer is not None
    assert (answer.status, answer.problem, answer.is_closed) == (408, "body-timeout", True)


async def test_a_body_that_ends_early_costs_nothing(server: Server) -> None:
    async with RawConnection(server.port) as connection:
        await connection.send(POST + b"content-length: 13\r\n\r\n" + BODY[:5])


async def test_who_sends_20_mb_at_once_still_reads_the_refusal(server: Server) -> None:
    before = memory_bytes(server)
    answer = await raw_request(server.port, POST + b"content-length: 20971520\r\n\r\n", *[b" " * MIB] * 20)
    assert (answer.status, answer.problem) == (413, "payload-too-large")
    assert memory_bytes(server) - before < 8 * MIB


async def test_what_follows_a_refused_body_is_no_request(server: Server) -> None:
    """Request smuggling: an unread body must not be taken for the next request."""
    inner = b"GET /token HTTP/1.1\r\nhost: edge\r\n\r\n"
    async with RawConnection(server.port) as connection:
        await connection.send(POST + b"content-length: 2000000\r\n\r\n" + inner)
        answer = await connection.answer()
        assert answer is not None
        assert (answer.status, answer.problem) == (413, "payload-too-large")
        assert await connection.answer() is None


async def test_a_bad_request_behind_a_good_one_does_not_take_its_answer(server: Server) -> None:
    async with RawConnection(server.port) as connection:
        await connection.send(POST + b"content-length: 13\r\n\r\n" + BODY + b"nonsense\r\n\r\n")
        answer = await connection.answer()
        assert answer is not None
        assert (answer.status, json.loads(answer.body)["name"]) == (200, "a")
        assert await connection.answer() is None


@pytest.fixture(scope="session")
async def token(server: Server) -> bytes:
    async with httpx.AsyncClient() as http:
        return str((await http.get(f"{server.url}/token")).json()).encode()


async def mine(server: Server, *authorization: bytes, target: bytes = b"/mine") -> int:
    head = b"GET " + target + b" HTTP/1.1\r\nhost: edge\r\n"
    answer = await raw_request(server.port, head + b"".join(b"%b\r\n" % line for line in authorization) + b"\r\n")
    assert answer.status == 200 or "www-authenticate" in answer.headers, answer
    return answer.status


@pytest.mark.parametrize(
    "line",
    [
        b"Authorization: Bearer %b",
        b"authorization: bearer %b",
        b"AUTHORIZATION: BEARER %b",
        b"Authorization:Bearer %b",
        b"Authorization: \t Bearer %b \t",
    ],
    ids=repr,
)
async def test_a_scheme_in_any_case_and_space_around_the_field_is_as_rfc_9110_says(
    server: Server, token: bytes, line: bytes
) -> None:
    assert await mine(server, line % token) == 200


@pytest.mark.parametrize(
    "line",
    [
        b"Authorization: %b",
        b"Authorization: Token %b",
        b"Authorization: Bearer: %b",
        b"Authorization: Bearer\t%b",
        b"Authorization: Bearer  %b",
        b"Authorization: Bearer %b, Bearer %b",
        b"Authorization: Bearer %b %b",
        b'Authorization: Bearer "%b"',
        b"Authorization: Bearer %b;",
        b"Authorization: Bearer Bearer %b",
        b"Authorization: Basic %b",
        b"Authorization: Bearer \xc2\xa0%b",
        b"Authorization_: Bearer %b",
        b"X-Authorization: Bearer %b",
        b"Proxy-Authorization: Bearer %b",
        b"Cookie: access_token=%b; authorization=Bearer %b",
        b"Authorization: Bearer",
        b"Authorization: ",
    ],
    ids=repr,
)
async def test_a_token_in_any_other_shape_is_none(server: Server, token: bytes, line: bytes) -> None:
    assert await mine(server, line.replace(b"%b", token)) == 401


async def test_two_authorization_headers_are_refused_even_if_both_are_good(server: Server, token: bytes) -> None:
    good, other = b"Authorization: Bearer " + token, b"Authorization: Basic YTpi"
    assert await mine(server, good, good) == 400
    assert await mine(server, good, other) == 400
    assert await mine(server, other, b"AUTHORIZATION:" + good.partition(b":")[2]) == 400


async def test_a_token_in_the_query_or_the_body_is_none(server: Server, token: bytes) -> None:
    """RFC 6750 sections 2.2 and 2.3, which RFC 9700 section 4.3.2 and OAuth 2.1 take back."""
    assert await mine(server, target=b"/mine?access_token=" + token) == 401
    form = b"access_token=" + token
    kind = b"content-type: application/x-www-form-urlencoded\r\ncontent-length: %d\r\n\r\n" % len(form)
    answer = await raw_request(server.port, b"GET /mine HTTP/1.1\r\nhost: edge\r\n" + kind + form)
    assert answer.status == 401


@pytest.mark.parametrize(
    "header", [b"X-Forwarded-For: 192.0.2.1", b"Forwarded: for=192.0.2.1", b"X-Real-IP: 192.0.2.1"], ids=repr
)
async def test_a_stranger_does_not_choose_the_address_that_is_counted_and_logged(server: Server, header: bytes) -> None:
    """RFC 9700 section 4.13: only proxies that a setting names are believed."""
    answer = await raw_request(server.port, b"GET /address HTTP/1.1\r\nhost: edge\r\n" + header + b"\r\n\r\n")
    assert answer.body == b'"127.0.0.1"'
