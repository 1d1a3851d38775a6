"""HTTP to other services."""

import httpx


def open_http(*, timeout_seconds: float = 2) -> httpx.AsyncClient:
    """A client with bounded waits and no redirects followed. Close it with `aclose()` or `async with`."""
    return httpx.AsyncClient(
        timeout=httpx.Timeout(timeout_seconds),
        limits=httpx.Limits(max_connections=10, max_keepalive_connections=5),
        headers={"user-agent": "mayfly"},
        follow_redirects=False,
    )
