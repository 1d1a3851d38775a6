"""A client that uploads, submits, waits and fetches, and goes on when the instance that it talks to dies."""

import asyncio
import json
from typing import Any

import httpx

RETRY_SECONDS = 0.2


class JobClient:
    """One user's work at a processor, or at a gateway before several."""

    def __init__(self, processor_urls: list[str], token: str) -> None:
        self._urls = processor_urls
        self._client = httpx.AsyncClient(timeout=90, headers={"authorization": f"Bearer {token}"})

    async def ask(self, method: str, path: str, *, body: object = None, **headers: str) -> httpx.Response:
        """The first answer that is not 502, 503 or a broken connection; every request here may be repeated."""
        for attempt in range(100):
            try:
                url = self._urls[attempt % len(self._urls)] + path
                response = await self._client.request(method, url, json=body, headers=headers)
                if response.status_code not in {502, 503}:
                    return response
            except httpx.TransportError:
                pass  # it died under our request
            await asyncio.sleep(RETRY_SECONDS)
        message = f"{method} {path}: no answer in {100 * RETRY_SECONDS:.0f} s"
        raise TimeoutError(message)

    async def upload(self, filename: str, content: bytes) -> str:
        """Where the uploaded object lies, as a data source."""
        slot = (await self.ask("POST", "/api/uploads", body={"filename": filename})).json()
        async with httpx.AsyncClient(timeout=90) as plain:
            response = await plain.request(slot["method"], slot["url"], content=content, headers=slot["headers"])
        assert response.status_code == 200, response.text
        return str(slot["data_source"])

    async def submit(self, processing_id: str, data_source: object, config: object) -> None:
        body = {"processing_id": processing_id, "data_source": data_source, "config": config}
        response = await self.ask("POST", "/api/process", body=body, prefer="respond-async")
        assert response.status_code == 202, response.text

    async def status(self, processing_id: str) -> dict[str, Any]:
        response = await self.ask("GET", f"/api/status/{processing_id}")
        assert response.status_code == 200, response.text
        status: dict[str, Any] = response.json()["status"]
        return status

    async def until_running(self, processing_id: str) -> None:
        while (await self.status(processing_id))["status"] == "accepted":
            await asyncio.sleep(0.02)

    async def finished(self, processing_id: str) -> dict[str, Any]:
        """The status in the end; it is asked for again and again, so any instance may answer."""
        while (status := await self.status(processing_id))["status"] in {"accepted", "running"}:
            await asyncio.sleep(RETRY_SECONDS)
        return status

    async def manifest(self, processing_id: str) -> dict[str, Any]:
        response = await self.ask("GET", f"/api/results/{processing_id}", accept="application/json")
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer

    async def result(self, processing_id: str) -> bytes:
        """All parts in their order."""
        parts = (await self.manifest(processing_id))["parts"]
        async with httpx.AsyncClient(timeout=90) as plain:
            return b"".join([(await plain.get(part["url"])).content for part in parts])

    async def close(self) -> None:
        await self._client.aclose()


def orders(count: int, first: int = 0) -> bytes:
    """NDJSON of made-up orders; the same numbers give the same bytes."""
    return b"".join(_order(number) for number in range(first, first + count))


def _order(number: int) -> bytes:
    status = ("paid", "open", "void")[number % 3]
    amount = number * 7919 % 100_000 / 100
    return json.dumps({"id": number, "status": status, "amount": amount, "note": "x" * 60}).encode() + b"\n"
