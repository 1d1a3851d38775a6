"""A blocking HTTP/1.1 connection that does next to nothing: what is measured is the other side."""

import socket
import time
from typing import Self

_READY_WITHIN_SECONDS = 30


class Connection:
    """One kept connection to 127.0.0.1."""

    def __init__(self, link: socket.socket) -> None:
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._link = link

    @classmethod
    def open_when_ready(cls, port: int) -> Self:
        """Waits until somebody listens there."""
        give_up_at = time.perf_counter() + _READY_WITHIN_SECONDS
        while True:
            try:
                return cls(socket.create_connection(("127.0.0.1", port)))
            except ConnectionRefusedError:
                assert time.perf_counter() < give_up_at
                time.sleep(0.05)

    def get(self, path: str, token: str | None = None) -> bytes:
        """The body of a 200."""
        authorization = f"authorization: Bearer {token}\r\n" if token else ""
        head = f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: */*\r\nuser-agent: benchmark\r\n{authorization}\r\n"
        self._link.sendall(head.encode())
        answer = self._link.recv(65536)
        while b"\r\n\r\n" not in answer:
            answer += self._link.recv(65536)
        fields, _, body = answer.partition(b"\r\n\r\n")
        assert fields.startswith(b"HTTP/1.1 200"), fields
        length = int(fields.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        while len(body) < length:
            body += self._link.recv(65536)
        return body

    def close(self) -> None:
        self._link.close()
