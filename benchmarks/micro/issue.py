"""What a token by `client_credentials` (ES256) costs: CPU beside a bare route's, over ASGI, in one process.

Redis and DynamoDB are real and run beside it. The client is one that was seen a moment ago, as it is for a program that
asks often; `first` is the cost when its row must be read.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable, MutableMapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, FastAPI, Request

from services.auth.bootstrap import lay_ground
from services.auth.main import create_app
from services.auth.settings import AuthSettings, BootstrapSettings
from shared.settings import load
from shared.telemetry.logs import configure_logs
from shared.testing.aws_emulator import AwsEmulator
from shared.testing.valkey import Valkey
from shared.tokens.pem_keys import generate_pem

ROUNDS = 15
REQUESTS = 300
FORM = {
    "grant_type": "client_credentials",
    "client_id": "demo-service",
    "client_secret": "demo-service-secret-local-only",
}
BODY = urlencode(FORM).encode()
GOAL = 2.5


async def bare(request: Request) -> dict[str, str]:
    return {"path": request.url.path}


async def ask(app: FastAPI, method: str, path: str, body: bytes) -> None:
    headers = [(b"host", b"x"), (b"content-length", str(len(body)).encode())]
    headers.append((b"content-type", b"application/x-www-form-urlencoded"))
    scope: dict[str, Any] = {"type": "http", "http_version": "1.1", "method": method, "scheme": "http", "path": path}
    scope |= {"raw_path": path.encode(), "query_string": b"", "headers": headers, "asgi": {"version": "3.0"}}
    status = 0

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        nonlocal status
        status = message.get("status", status)

    await app(scope, receive, send)
    assert status == 200


async def cpu_of(app: FastAPI, request: tuple[str, str, bytes], before: Callable[[], None] = lambda: None) -> float:
    """Microseconds of CPU a request; `before` is done before each of them."""
    began = time.process_time()
    for _ in range(REQUESTS):
        before()
        await ask(app, *request)
    return (time.process_time() - began) / REQUESTS * 1e6


async def measure(settings: AuthSettings) -> dict[str, float]:
    app = create_app(settings)
    router = APIRouter()
    router.add_api_route("/bare", bare)
    app.include_router(router)
    rounds: dict[str, list[float]] = {"bare": [], "token": [], "first": []}
    async with app.router.lifespan_context(app):
        await asyncio.sleep(1)  # until it hears of revocations
        known = app.state.resources.tokens.issue_to_client.authentication.clients._known  # noqa: SLF001 - to forget it
        for _ in range(ROUNDS):
            await asyncio.sleep(0.05)  # for what else the process does
            rounds["bare"].append(await cpu_of(app, ("GET", "/bare", b"")))
            rounds["token"].append(await cpu_of(app, ("POST", "/oauth2/token", BODY)))
        rounds["first"].append(await cpu_of(app, ("POST", "/oauth2/token", BODY), known.clear))
    return {name: statistics.median(values) for name, values in rounds.items()}


async def run() -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        async with Valkey(Path(folder, "redis")) as redis, AwsEmulator(Path(folder, "aws")) as aws:
            given = {
                "redis_url": redis.url,
                "aws_endpoint_url": aws.url,
                "aws_access_key_id": "test",
                "aws_secret_access_key": "test",
                "log_level": "error",
                "signing_algorithm": "ES256",
            }
            await lay_ground(load(BootstrapSettings, **given))
            settings = load(AuthSettings, **given, signing_key=generate_pem("ES256"))
            configure_logs(settings)
            return await measure(settings)


def main() -> None:
    medians = asyncio.run(run())
    print("CPU of a token by client_credentials, ES256 (median of rounds; ratio to a bare route of the same process)")
    for name, goal in (("bare", ""), ("token", f"goal <= {GOAL}"), ("first", "its client is read from DynamoDB")):
        print(f"  {name:6} {medians[name]:7.1f} us   {medians[name] / medians['bare']:5.2f}   {goal}")


if __name__ == "__main__":
    main()
