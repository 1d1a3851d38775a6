import asyncio

import httpx
import pytest
from fastapi import FastAPI

from shared.errors import Unavailable
from shared.web.health import ReadinessCheck


async def test_ready_names_each_check(client: httpx.AsyncClient) -> None:
    response = await client.get("/readyz")
    assert response.status_code == 200
    assert response.json() == {"status": "ready", "checks": {"works": {"ok": True, "detail": "fine"}}}


async def _fails() -> str:
    raise Unavailable("Redis does not answer. Ask again.")


async def _breaks() -> str:
    message = "an inside"
    raise RuntimeError(message)


async def _hangs() -> str:
    await asyncio.sleep(60)
    return "never"


@pytest.mark.parametrize(
    ("check", "detail"),
    [(_fails, "Redis does not answer. Ask again."), (_breaks, "RuntimeError"), (_hangs, "no answer within 0.01 s")],
)
async def test_a_check_that_fails_is_named_and_the_process_stays_alive(
    app: FastAPI, client: httpx.AsyncClient, check: object, detail: str
) -> None:
    app.state.readiness_checks = (ReadinessCheck("thing", check, timeout_seconds=0.01),)  # type: ignore[arg-type]  # a coroutine function
    response = await client.get("/readyz")
    assert (response.status_code, response.json()["checks"]["thing"]["detail"]) == (503, detail)
    assert (await client.get("/livez")).status_code == 200


async def test_an_instance_that_stops_is_not_ready(app: FastAPI, client: httpx.AsyncClient) -> None:
    app.state.draining = True
    response = await client.get("/readyz")
    assert (response.status_code, response.json()["status"]) == (503, "stopping")


async def test_the_docs_page_takes_everything_from_here(client: httpx.AsyncClient) -> None:
    page = await client.get("/docs")
    assert "http://" not in page.text
    assert "https://" not in page.text
    assert "script-src 'self';" in page.headers["content-security-policy"]
    for name in ("swagger-ui-bundle.js", "swagger-ui.css", "start.js", "favicon-32x32.png"):
        assert f"docs/{name}" in page.text
        assert (await client.get(f"/docs/{name}")).status_code == 200
    assert (await client.get("/docs/main.py")).status_code == 404


async def test_who_asks_again_and_again_is_told_what_was_found_within_the_last_second(
    app: FastAPI, client: httpx.AsyncClient
) -> None:
    runs: list[str] = []

    async def count() -> str:
        runs.append("run")
        await asyncio.sleep(0.05)
        return str(len(runs))

    app.state.readiness_checks = (ReadinessCheck("thing", count),)
    await asyncio.gather(*(client.get("/readyz") for _ in range(5)))
    assert len(runs) == 1
    await asyncio.sleep(1.1)
    assert (await client.get("/readyz")).json()["checks"]["thing"]["detail"] == "2"


async def test_the_window_that_comes_back_from_a_login_believes_its_issuer_alone(client: httpx.AsyncClient) -> None:
    page = await client.get("/docs/oauth2-redirect")
    assert page.headers["content-security-policy"].startswith("default-src 'none'; script-src 'self';")
    assert page.headers["cache-control"] == "no-store"
    script = (await client.get("/docs/oauth2-redirect.js")).text
    assert 'told.iss !== "http://127.0.0.1:8001"' in script
    start = (await client.get("/docs/start.js")).text
    assert "usePkceWithAuthorizationCodeGrant: true" in start
    assert 'clientId: "mayfly-docs"' in start
    policy = (await client.get("/docs")).headers["content-security-policy"]
    assert "connect-src 'self' http://127.0.0.1:8001;" in policy
