"""HTTP as bytes: for requests that no client would send."""

import asyncio
import json
import socket
from dataclasses import dataclass
from typing import Any, Self

PATIENCE_SECONDS = 20.0
"""A test that waits longer has found a hang."""


@dataclass(frozen=True)
class RawAnswer:
    status: int
    headers: dict[str, str]
    body: bytes
    is_closed: bool
    """Whether the server ended the connection after it."""

    @property
    def problem(self) -> str:
        """The code of the problem document that it has to be."""
        assert self.headers["content-type"] == "application/problem+json", self
        document: dict[str, Any] = json.loads(self.body)
        assert document["status"] == self.status
        assert document["detail"]
        assert len(document["trace_id"]) == 32
        return str(document["code"])


class RawConnection:
    """Sends bytes as they are. An async context manager."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._received = b""

    async def __aenter__(self) -> Self:
        self._socket = socket.socket()
        self._socket.setblocking(False)
        await asyncio.get_running_loop().sock_connect(self._socket, ("127.0.0.1", self._port))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._socket.close()

    async def send(self, *parts: bytes) -> None:
        """A server that ends the connection in the middle is no error here: what it said is read afterwards."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            try:
                for part in parts:
                    await asyncio.get_running_loop().sock_sendall(self._socket, part)
            except (ConnectionResetError, BrokenPipeError):
                return

    async def answer(self) -> RawAnswer | None:
        """The next answer; None if the connection ended without one."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while b"\r\n\r\n" not in self._received:
                if not await self._read():
                    return None
            head, _, self._received = self._received.partition(b"\r\n\r\n")
            first, *lines = head.decode("latin-1").split("\r\n")
            pairs = (line.partition(":") for line in lines)
            headers = {name.lower(): value.strip() for name, _, value in pairs}
            length = int(headers.get("content-length", "0"))
            while len(self._received) < length and await self._read():
                pass
            body, self._received = self._received[:length], self._received[length:]
            is_closed = headers.get("connection") == "close" and not await self._read()
            return RawAnswer(int(first.split(" ")[1]), headers, body, is_closed)

    async def _read(self) -> bool:
        """False at the end."""
        try:
            received = await asyncio.get_running_loop().sock_recv(self._socket, 65536)
        except ConnectionResetError:
            return False
        self._received += received
        return bool(received)


async def raw_request(port: int, *parts: bytes) -> RawAnswer:
    """One connection, these bytes, one answer."""
    async with RawConnection(port) as connection:
        await connection.send(*parts)
        answer = await connection.answer()
        assert answer is not None, "the connection ended without an answer"
        return answer
