"""One client's connection, before there is a request: what is no HTTP, too large or too slow never gets further.

Uvicorn reads request heads of any size, for as long as they take, and answers what it can't parse in plain text. Here a
head has a size and a time, and whatever is wrong is told as a problem (RFC 9457).
"""

import asyncio
from http import HTTPStatus

from fastapi import Response
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from shared.errors import InvalidRequest, Problem
from shared.telemetry.logs import get_logger
from shared.telemetry.metrics import REQUESTS
from shared.web.edge import SECURITY_HEADERS, HeadersTooLarge
from shared.web.problems import problem_response

_MOST_HEAD_BYTES = 512 << 10
"""Read before the head is refused unparsed; `Edge` refuses, by the exact limit, whatever could be parsed."""
_LINGER_SECONDS = 2
"""Read and thrown away after a refusal: closing with bytes unread would take the answer back (RFC 9112 section 9.6)."""
log = get_logger(__name__)


class HeadTimeout(Problem):
    """The header fields were not complete after `MAYFLY_HEADER_TIMEOUT_SECONDS`."""

    code, status, title = "header-timeout", 408, "The header fields came too slowly"


class Connection(HttpToolsProtocol):
    """`of(seconds)` makes the class for a server."""

    header_timeout_seconds: float
    _head_bytes = 0
    _deadline: asyncio.TimerHandle | None = None
    _is_in_head = False
    _is_refused = False

    @classmethod
    def of(cls, header_timeout_seconds: float) -> "type[Connection]":
        return type("Connection", (cls,), {"header_timeout_seconds": header_timeout_seconds})

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        super().connection_made(transport)
        self._begin_wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_wait()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._is_in_head = True
        self._head_bytes = 0

    def on_headers_complete(self) -> None:
        self._is_in_head = False
        self._end_wait()
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        if self._is_refused:
            return
        super().data_received(data)
        if self._is_refused:
            return
        if self._is_in_head:
            self._head_bytes += len(data)
            if self._head_bytes > _MOST_HEAD_BYTES:
                self._refuse(HeadersTooLarge("Send smaller header fields."))
                return
        if self._deadline is None and (self._is_in_head or self._is_idle()):
            self._begin_wait()

    def send_400_response(self, msg: str) -> None:
        """Uvicorn's own, called for whatever its parser refuses."""
        self._refuse(InvalidRequest(f"This is no HTTP/1.1 request that can be read in one way only. {msg}"))

    def _is_idle(self) -> bool:
        """Nothing is under way, and uvicorn has ended its own wait for the next request: for an empty line, say."""
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is None or cycle.response_complete

    def _begin_wait(self) -> None:
        self._deadline = self.loop.call_later(self.header_timeout_seconds, self._give_up)

    def _end_wait(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        if self._is_in_head:
            self._refuse(HeadTimeout(f"The header fields took longer than {self.header_timeout_seconds:g} s."))
        else:  # a connection that was opened ahead of time, and never used
            self.transport.close()

    def _refuse(self, problem: Problem) -> None:
        self._end_wait()
        REQUESTS.labels("unknown", "unknown", problem.status).inc()
        log.info("request_refused", code=problem.code, client=None if self.client is None else self.client[0])
        earlier: RequestResponseCycle | None = self.cycle
        if earlier is not None and not earlier.response_complete:
            if not earlier.more_body:  # a pipelined request is the bad one: the answer before it still goes out
                earlier.keep_alive = False
                return
            if earlier.response_started:
                self.transport.close()
                return
        self._is_refused = True
        self.transport.write(_as_bytes(problem_response(problem)))
        self.transport.write_eof()
        self._deadline = self.loop.call_later(_LINGER_SECONDS, self.transport.close)


def _as_bytes(response: Response) -> bytes:
    status = HTTPStatus(response.status_code)
    lines = [f"HTTP/1.1 {status.value} {status.phrase}".encode()]
    lines += [name + b": " + value for name, value in (*response.raw_headers, *SECURITY_HEADERS)]
    return b"\r\n".join([*lines, b"connection: close", b"", bytes(response.body)])
