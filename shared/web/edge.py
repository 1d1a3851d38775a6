"""What happens to every request before and after the routes: ids, limits, security headers, metrics, one log line."""

import asyncio
import contextlib
from dataclasses import dataclass

from fastapi import HTTPException, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared import clock
from shared.errors import InvalidRequest, PayloadTooLarge, Problem
from shared.telemetry.context import accept_request_id, continue_trace, working_on
from shared.telemetry.logs import get_logger
from shared.telemetry.metrics import REQUEST_SECONDS, REQUESTS, REQUESTS_UNDER_WAY
from shared.web.problems import problem_response, unexpected

_MOST_HEADER_BYTES = 32_768
_QUIET = {"/livez", "/readyz", "/metrics"}
SECURITY_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"strict-transport-security", b"max-age=63072000"),
]
_SERVER_ERROR = 500
_LINGER_SECONDS = 2
_UNREAD = {408, 413, 431}
log = get_logger(__name__)


class HeadersTooLarge(Problem):
    """All header fields together have more than 32,768 bytes."""

    code, status, title = "headers-too-large", 431, "The header fields are too large"


class BodyTimeout(Problem):
    """The body was not complete after `MAYFLY_BODY_TIMEOUT_SECONDS`."""

    code, status, title = "body-timeout", 408, "The body came too slowly"


class Edge:
    """The outermost ASGI middleware."""

    def __init__(self, app: ASGIApp, *, max_body_bytes: int, body_timeout_seconds: float) -> None:
        self.app = app
        self.limits = _BodyLimits(max_body_bytes, body_timeout_seconds)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if scope["method"] == "HEAD":  # RFC 9110 section 9.3.2: as GET, without its content
            scope, send = {**scope, "method": "GET"}, _without_content(send)
        exchange = _Exchange(scope, receive, send, self.limits)
        about = {"request_id": exchange.request_id, "address": exchange.address}
        with working_on(exchange.trace, **about), REQUESTS_UNDER_WAY.track_inprogress():
            try:
                refusal = exchange.refusal()
                await (refusal or self.app)(scope, exchange.receive, exchange.send)
            except Exception as error:  # noqa: BLE001 - a bug of ours; the client is told no more than that
                await exchange.answer_bug(error)
            finally:
                exchange.account()


def _without_content(send: Send) -> Send:
    """Ends the answer where its content would begin: a content that goes on and on is told that nobody listens."""
    has_ended = False

    async def send_head(message: Message) -> None:
        nonlocal has_ended
        if message["type"] != "http.response.body":
            await send(message)
        elif not has_ended:
            has_ended = True
            await send({"type": "http.response.body", "body": b""})

    return send_head


@dataclass(frozen=True, slots=True)
class _BodyLimits:
    most_bytes: int
    timeout_seconds: float


class _Exchange:
    """One request and its answer."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, limits: _BodyLimits) -> None:
        self.scope, self._receive, self._send = scope, receive, send
        self.limits = limits
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        self.trace = continue_trace(self._header(b"traceparent"))
        self.request_id = accept_request_id(self._header(b"x-request-id"), self.trace)
        self.address = scope["client"][0] if scope.get("client") else "unknown"
        self.started = clock.monotonic()
        self.received_bytes = 0
        self.body_ended = False
        self.status = 0

    def _header(self, name: bytes) -> str | None:
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1")

    def refusal(self) -> Response | None:
        if sum(len(name) + len(value) for name, value in self.scope["headers"]) > _MOST_HEADER_BYTES:
            return problem_response(HeadersTooLarge(f"Send at most {_MOST_HEADER_BYTES} bytes of header fields."))
        if not self._names_one_host():
            return problem_response(InvalidRequest("Send the header field Host once (RFC 9112 section 3.2)."))
        declared = self.headers.get(b"content-length", b"0")
        if declared.isdigit() and int(declared) > self.limits.most_bytes:
            return problem_response(self._too_large())
        return None

    def _names_one_host(self) -> bool:
        if b"host" not in self.headers:
            return bool(self.scope["http_version"] != "1.1")
        given = self.scope["headers"]
        return len(given) == len(self.headers) or sum(name == b"host" for name, _ in given) == 1

    def _too_large(self) -> PayloadTooLarge:
        return PayloadTooLarge(
            f"Send at most {self.limits.most_bytes} bytes. Larger data goes to S3: POST /api/uploads."
        )

    async def receive(self) -> Message:
        if self.body_ended:
            return await self._receive()
        try:
            async with asyncio.timeout(self.started + self.limits.timeout_seconds - clock.monotonic()):
                message = await self._receive()
        except TimeoutError:
            timeout = BodyTimeout(f"The body was not here after {self.limits.timeout_seconds:g} s. Send it again.")
            raise _through_fastapi(timeout) from timeout
        self.received_bytes += len(message.get("body", b""))
        self.body_ended = not message.get("more_body", False)
        if self.received_bytes > self.limits.most_bytes:
            too_large = self._too_large()
            raise _through_fastapi(too_large) from too_large
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            # What of the body was not read would be taken for the next request.
            unread = [(b"connection", b"close")] if self.status in _UNREAD else []
            given = message.get("headers", [])
            names = {name for name, _ in given}
            message["headers"] = [
                *given,
                *unread,
                *(header for header in SECURITY_HEADERS if header[0] not in names),
                (b"x-request-id", self.request_id.encode("latin-1")),
                (b"traceparent", self.trace.traceparent.encode()),
            ]
        if message["type"] == "http.response.body" and self.status in _UNREAD and not message.get("more_body"):
            await self._send({**message, "more_body": True})
            await self._throw_away_the_rest()
            message = {"type": "http.response.body", "body": b""}
        await self._send(message)

    async def _throw_away_the_rest(self) -> None:
        """For a while: to close a connection with bytes unread would take the answer back (RFC 9112 section 9.6)."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LINGER_SECONDS):
                while not self.body_ended:
                    message = await self._receive()
                    self.body_ended = not message.get("more_body", False)

    async def answer_bug(self, error: Exception) -> None:
        """A 500 with the trace that the log has; where the answer has begun already, the connection just ends."""
        log.error("unexpected_error", exc_info=error)
        if self.status:
            raise error
        await unexpected()(self.scope, self.receive, self.send)

    def account(self) -> None:
        path = self.scope["path"]
        route = getattr(self.scope.get("route"), "path", "unknown")
        seconds = clock.monotonic() - self.started
        REQUESTS.labels(self.scope["method"], route, self.status).inc()
        REQUEST_SECONDS.labels(route).observe(seconds)
        if path in _QUIET and self.status < _SERVER_ERROR:
            return
        log.info(
            "request_answered",
            method=self.scope["method"],
            path=path,
            status=self.status,
            milliseconds=round(seconds * 1000, 1),
        )


def _through_fastapi(problem: Problem) -> HTTPException:
    """FastAPI turns whatever goes wrong while it reads a body into a 400, except its own exception."""
    return HTTPException(problem.status)
