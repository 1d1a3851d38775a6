"""A TCP proxy that makes every answer late: by the time that a request takes, the waits in a row can be counted."""

import asyncio
import contextlib
from typing import Self
from urllib.parse import urlsplit


class SlowLink:
    """Stands before a server; what the server sends arrives `delay_seconds` later. An async context manager.

    Where `quick_requests` are set, that holds only once more HTTP `requests` than these have passed.
    """

    def __init__(self, url: str) -> None:
        self._target = urlsplit(url)
        self.delay_seconds = 0.0
        self.requests = 0
        self.quick_requests = 0
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        assert self._server is not None
        port = self._server.sockets[0].getsockname()[1]
        return self._target._replace(netloc=f"127.0.0.1:{port}").geturl()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        back, forth = await asyncio.open_connection(self._target.hostname, self._target.port)
        try:
            await asyncio.gather(self._pass_on(reader, forth), self._pass_on_late(back, writer))
        finally:
            for end in (writer, forth):
                end.close()
            self._tasks.discard(task)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                self.requests += data.count(b" HTTP/1.1\r\n")
                writer.write(data)
            writer.write_eof()

    async def _pass_on_late(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Each piece is late by itself: an answer in two pieces is not late twice."""
        loop = asyncio.get_running_loop()
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                late = not self.quick_requests or self.requests > self.quick_requests
                loop.call_later(self.delay_seconds if late else 0, _send, writer, data)
            loop.call_later(self.delay_seconds, _send, writer, b"")
            await asyncio.sleep(self.delay_seconds)


def _send(writer: asyncio.StreamWriter, data: bytes) -> None:
    """Nothing is the end. Who waited for it may have gone meanwhile."""
    if writer.is_closing():
        return
    with contextlib.suppress(OSError):
        if data:
            writer.write(data)
        else:
            writer.write_eof()
