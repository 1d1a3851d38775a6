"""docs/reference/failure-modes.md says what the processor answers in an outage. Here each cell is asked."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path

import httpx
import pytest

from services.processor.domain.job_names import JobKey, JobRequest
from services.processor.domain.jobs import Job
from services.processor.main import create_app
from shared import clock
from shared.testing.ports import free_port
from shared.testing.tokens import TokenFactory
from shared.testing.valkey import Valkey
from shared.tokens.claims import LAST_SECOND
from tests.service.processor.conftest import MakeSettings
from tests.service.processor.running import Processor, living
from tests.service.tokens.canned_server import CannedServer
from tests.support.service_link import ServiceLink
from tests.support.waiting import eventually

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "failure-modes.md"
OUTAGES = ("redis", "dynamodb", "s3", "sqs", "auth")
UPLOAD = {"filename": "x.csv"}


def rows() -> dict[str, list[str]]:
    """Of the processor's table: what each row is about, and what it says of each outage."""
    section = PAGE.read_text(encoding="utf-8").split("\n## processor\n")[1].split("\n## ")[0]
    lines = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| `")]
    return {row.strip("`"): cells for row, *cells in lines}


def is_what(cell: str, answer: httpx.Response) -> bool:
    """Whether it is the answer that the cell begins with: a status with its code, or a success."""
    said = re.match(r"(\d{3})(?: `([a-z-]+)`|, names `([a-z0-9]+)`)?", cell)
    if said is None:
        assert cell.startswith(("as usual", "reads more")), cell
        return answer.status_code < 400
    if said[2]:
        return (answer.status_code, answer.json()["code"]) == (
            int(said[1]),
            said[2],
        ) and "retry-after" in answer.headers
    if said[3]:
        failing = {name for name, check in answer.json()["checks"].items() if not check["ok"]}
        return (answer.status_code, failing) == (int(said[1]), {said[3]})
    return answer.status_code == int(said[1])


@asynccontextmanager
async def lacking(
    outage: str, make_settings: MakeSettings, tokens: TokenFactory, folder: Path
) -> AsyncIterator[httpx.AsyncClient]:
    """A processor that has begun well and now lacks one thing."""
    aws_url = make_settings().aws_endpoint_url
    assert aws_url is not None
    async with (
        ServiceLink(aws_url) as aws,
        CannedServer(json.dumps(tokens.jwks()).encode()) as auth,
        Valkey(folder / "nobody-fills-it") as unheard,
    ):
        redis = {"redis": f"redis://127.0.0.1:{free_port()}/0", "auth": unheard.url}.get(outage)
        more = {} if redis is None else {"redis_url": redis}
        settings = make_settings(aws_endpoint_url=aws.url, jwks_url=auth.url, **more)
        async with living(create_app(settings)) as http:

            async def callers_are_known() -> bool:
                checks = (await http.get("/readyz")).json()["checks"]
                return bool(checks["keys"]["ok"] and checks["revocations"]["ok"])

            await eventually(callers_are_known)
            if outage == "auth":
                await auth.stop()
            with aws.without(outage) if outage in {"dynamodb", "s3", "sqs"} else nullcontext():
                await asyncio.sleep(1)  # for so long /readyz may answer what it found before
                yield http
            if outage == "auth":
                await auth.start()


async def cancel_job(processor: Processor, processing_id: str) -> None:
    """One that no worker has heard of."""
    job = Job(JobKey(processor.owner, processing_id), JobRequest("test", {}), submitted_at_ms=round(clock.now() * 1000))
    await processor.stores.jobs.claim(job, sweep_at_ms=job.submitted_at_ms + 600_000, expires_at=LAST_SECOND)
    assert (await processor.http.delete(f"/api/process/{processing_id}")).status_code == 200


@pytest.mark.parametrize("outage", OUTAGES)
async def test_each_cell_of_the_table_is_what_is_answered(
    outage: str, working_processor: Processor, make_settings: MakeSettings, tokens: TokenFactory, tmp_path: Path
) -> None:
    source = await working_processor.put("n.ndjson", b'{"n": 1}\n')
    done = (await working_processor.submit(source)).json()["processing_id"]
    await cancel_job(working_processor, "cancelled")
    job, headers = {"data_source": source, "config": {}}, working_processor.headers_of(working_processor.owner)
    await working_processor.http.put("/api/pipelines/kept", json=job)
    completed = {"data_source": await working_processor.put("upl_x/n.ndjson", b"{}"), "upload_id": "x", "parts": 1}
    asks = {
        "POST /api/uploads": ("POST", "/api/uploads", UPLOAD),
        "POST /api/uploads/complete": ("POST", "/api/uploads/complete", completed),
        "POST /api/process": ("POST", "/api/process", job),
        "GET /api/status/{processing_id}": ("GET", f"/api/status/{done}", None),
        "GET /api/status/{processing_id}/events": ("GET", f"/api/status/{done}/events", None),
        "GET /api/process": ("GET", "/api/process", None),
        "DELETE /api/process/{processing_id}": ("DELETE", "/api/process/cancelled", None),
        "GET /api/results/{processing_id}": ("GET", f"/api/results/{done}", None),
        "PUT /api/pipelines/{name}": ("PUT", "/api/pipelines/new", job),
        "GET /api/pipelines": ("GET", "/api/pipelines", None),
        "GET /api/pipelines/{name}": ("GET", "/api/pipelines/kept", None),
        "DELETE /api/pipelines/{name}": ("DELETE", "/api/pipelines/kept", None),
        "POST /api/preview": ("POST", "/api/preview", job),
        "GET /readyz": ("GET", "/readyz", None),
    }
    assert rows().keys() == asks.keys()
    removing = [row for row in asks if row.startswith("DELETE")]
    async with lacking(outage, make_settings, tokens, tmp_path) as http:

        async def wrong(row: str) -> tuple[str, str, int, str] | None:
            method, path, body = asks[row]
            answer = await http.request(method, path, json=body, headers={**headers, "prefer": "respond-async"})
            cell = rows()[row][OUTAGES.index(outage)]
            return None if is_what(cell, answer) else (row, cell, answer.status_code, answer.text[:300])

        found = await asyncio.gather(*(wrong(row) for row in asks if row not in removing))
        found += await asyncio.gather(*map(wrong, removing))
    assert list(filter(None, found)) == []
