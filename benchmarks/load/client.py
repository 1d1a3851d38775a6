"""A light HTTP/1.1 client on one kept connection: what it costs itself must not be what is measured."""

import asyncio
import base64
import json
import time
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

CREDENTIALS = {"username": "testuser", "password": "testpass"}


class Connection:
    """One connection to 127.0.0.1, one request at a time."""

    def __init__(self, url: str) -> None:
        self._host = urlsplit(url).netloc
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        body: object = None,
        prefer: str | None = None,
        accept: str | None = None,
    ) -> tuple[int, Any]:
        """Status and JSON of the answer (None for an empty one)."""
        content = b"" if body is None else json.dumps(body).encode()
        head = [f"authorization: Bearer {token}"] if token else []
        head += [f"prefer: {prefer}"] if prefer else []
        head += [f"accept: {accept}"] if accept else []
        head += ["content-type: application/json"] if content else []
        return await self._exchange(method, path, head, content)

    async def send_form(self, path: str, fields: Mapping[str, str], credentials: str | None) -> tuple[int, Any]:
        """A form, with `client_id:secret` by HTTP Basic if the client has a secret."""
        head = ["content-type: application/x-www-form-urlencoded"]
        head += [f"authorization: Basic {base64.b64encode(credentials.encode()).decode()}"] if credentials else []
        return await self._exchange("POST", path, head, urlencode(fields).encode())

    async def _exchange(self, method: str, path: str, fields: Iterable[str], content: bytes) -> tuple[int, Any]:
        if self._streams is None:
            host, port = self._host.split(":")
            self._streams = await asyncio.open_connection(host, int(port))
        reader, writer = self._streams
        head = [f"{method} {path} HTTP/1.1", f"host: {self._host}", f"content-length: {len(content)}", *fields]
        writer.write("\r\n".join([*head, "", ""]).encode() + content)
        answer = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = next((int(line[16:]) for line in answer.split("\r\n") if line.startswith("content-length: ")), 0)
        text = await reader.readexactly(length)
        return int(answer[9:12]), json.loads(text) if text else None

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()


async def log_in(auth_url: str, credentials: Mapping[str, str] = CREDENTIALS) -> str:
    """A fresh access token."""
    connection = Connection(auth_url)
    status, body = await connection.ask("POST", "/api/login", body=credentials)
    assert status == 200, body
    connection.close()
    return str(body["token"])


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def milliseconds() -> float:
    return time.perf_counter() * 1000
