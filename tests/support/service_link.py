"""The way to AWS, on which a test may take away one service of several that share an address."""

import asyncio
import contextlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self
from urllib.parse import urlsplit

from shared.testing.ports import free_port

_PIECE = 65_536
_SERVICE = re.compile(rb"Credential=[^/\s]+/\d{8}/[^/]+/([a-z0-9]+)/aws4_request", re.IGNORECASE)


class ServiceLink:
    """Which service a connection is for says the signature of its first request. An async context manager."""

    def __init__(self, url: str) -> None:
        self._target = urlsplit(url)
        self._port = free_port()
        self._down: set[str] = set()
        self._connections: dict[asyncio.Task[None], str] = {}
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @contextmanager
    def without(self, service: str) -> Iterator[None]:
        """Within: its connections end, and new ones are closed as soon as it is known that they are for it."""
        self._down.add(service)
        for task, name in self._connections.items():
            if name == service:
                task.cancel()
        try:
            yield
        finally:
            self._down.discard(service)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections[task] = ""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            head = await reader.readuntil(b"\r\n\r\n")
            found = _SERVICE.search(head)
            assert found is not None, head
            self._connections[task] = service = found[1].decode()
            if service not in self._down:
                await self._pass_on(head, reader, writer)
        writer.transport.abort()
        del self._connections[task]

    async def _pass_on(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back, forth = await asyncio.open_connection(self._target.hostname, self._target.port)
        forth.write(head)
        try:
            await asyncio.gather(_copy(reader, forth), _copy(back, writer))
        finally:
            forth.transport.abort()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(_PIECE):
        writer.write(data)
        await writer.drain()
    writer.transport.abort()
