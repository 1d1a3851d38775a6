"""A real HTTP server on this machine that says what a test tells it to say, and counts who asks."""

import asyncio
import contextlib
from typing import Self


class CannedServer:
    """Answers every request with `status` and `body`, after `delay_seconds`. An async context manager."""

    def __init__(self, body: bytes = b"", *, status: int = 200) -> None:
        self.body = body
        self.status = status
        self.headers: dict[str, str] = {}
        self.delay_seconds = 0.0
        self.requests = 0
        self.port = 0
        self._server: asyncio.Server | None = None
        self._answering: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._answer, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._answering:
            writer.transport.abort()
        await self._server.wait_closed()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._answering.add(writer)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            self.requests += 1
            await asyncio.sleep(self.delay_seconds)
            headers = {"content-length": str(len(self.body)), "connection": "close", **self.headers}
            lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            writer.write(f"HTTP/1.1 {self.status} Status\r\n{lines}\r\n".encode() + self.body)
            await writer.drain()
        self._answering.discard(writer)
        writer.close()
