"""A TCP link between a service and a server, which a test may stop, cut, or lead to another server."""

import asyncio
import contextlib
from typing import Self
from urllib.parse import urlsplit

from shared.testing.ports import free_port

_PIECE = 65_536


class Link:
    """Its address is known before it is open, and stays. An async context manager.

    - `stop`: nothing gets through, as when a network drops every packet; connections stay open. `go_on` ends it.
    - `cut`: every connection is reset; new ones can be made.
    - `cut_after`: one answer more gets through so many bytes, then its connection is reset.
    - `lead_to`: connections are cut, and new ones go to another server.
    """

    def __init__(self, url: str) -> None:
        self._target = urlsplit(url)
        self._scheme = self._target.scheme
        self._port = free_port()
        self._flows = asyncio.Event()
        self._flows.set()
        self._answer_left: int | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self._port}"

    def stop(self) -> None:
        self._flows.clear()

    def go_on(self) -> None:
        self._flows.set()

    def cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    def cut_after(self, answered_bytes: int) -> None:
        self._answer_left = answered_bytes

    def lead_to(self, url: str) -> None:
        self._target = urlsplit(url)
        self.cut()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        try:
            await self._flows.wait()
            back, forth = await asyncio.open_connection(self._target.hostname, self._target.port)
            self._writers.add(forth)
            try:
                await asyncio.gather(self._pass_on(reader, forth), self._answer(back, writer))
            finally:
                self._end(forth)
        except OSError:
            pass  # nobody is there: the client sees its connection closed
        finally:
            self._end(writer)
            self._tasks.discard(task)

    def _end(self, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()
        self._writers.discard(writer)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(_PIECE):
                await self._flows.wait()
                writer.write(data)
                await writer.drain()
        writer.transport.abort()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(_PIECE):
                await self._flows.wait()
                if self._answer_left is not None:
                    data, self._answer_left = data[: self._answer_left], None
                    writer.write(data)
                    await writer.drain()
                    await asyncio.sleep(0)  # so that it is sent before the end is
                    break
                writer.write(data)
                await writer.drain()
        writer.transport.abort()
