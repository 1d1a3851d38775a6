"""Which request, trace and job the running code works for (W3C Trace Context, https://www.w3.org/TR/trace-context/)."""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import structlog

_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})\Z")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}\Z")


@dataclass(frozen=True, slots=True)
class TraceContext:
    """One unit of work (`span_id`, 16 hexadecimal digits) in one trace (`trace_id`, 32)."""

    trace_id: str
    span_id: str
    flags: str = "01"

    @property
    def traceparent(self) -> str:
        return f"00-{self.trace_id}-{self.span_id}-{self.flags}"


_current: ContextVar[TraceContext | None] = ContextVar("mayfly_trace", default=None)


def continue_trace(raw_traceparent: str | None) -> TraceContext:
    """A new span: in the trace that the header names, or, if there is none or it is not valid, in a new trace."""
    match = _TRACEPARENT.match(raw_traceparent or "")
    if match is None or set(match[1]) == {"0"} or set(match[2]) == {"0"}:
        return TraceContext(secrets.token_hex(16), secrets.token_hex(8))
    return TraceContext(match[1], secrets.token_hex(8), match[3])


def accept_request_id(raw_request_id: str | None, trace: TraceContext) -> str:
    """The caller's `X-Request-ID` if it is harmless to log and to repeat, else the span's id."""
    return raw_request_id if raw_request_id and _REQUEST_ID.match(raw_request_id) else trace.span_id


def current_trace() -> TraceContext:
    """The trace of the running code; a new one outside of any request or message."""
    trace = _current.get()
    if trace is None:
        trace = continue_trace(None)
        _current.set(trace)
    return trace


@contextmanager
def working_on(trace: TraceContext, **fields: str) -> Iterator[None]:
    """Within: `current_trace()` is this one, and each log line carries its id and the given fields."""
    token = _current.set(trace)
    try:
        with structlog.contextvars.bound_contextvars(trace_id=trace.trace_id, span_id=trace.span_id, **fields):
            yield
    finally:
        _current.reset(token)


def bound(name: str) -> str | None:
    """What the work at hand was bound to by this name, such as the `address` that a request comes from."""
    value: str | None = structlog.contextvars.get_contextvars().get(name)
    return value


def bind(**fields: str) -> None:
    """Add fields to every log line of the work at hand, such as `job_id` or `caller`."""
    structlog.contextvars.bind_contextvars(**fields)
