"""The examples and the README's walk, as a reader would run them."""

import asyncio
import json
import re
import sys

import httpx
import pytest

from shared.testing.processes import inherited_environment
from tests.support.http_file import HttpFile
from tests.support.markdown import ROOT, Fence, fences_of
from tests.support.system import System

pytestmark = pytest.mark.compose

EXAMPLES = ROOT / "examples"
NORTHERN = ["BRW", "AWI", "ATK", "AQT", "SCC", "BTI"]
_STATUSES = {"upload": 201, "process": 202, "logout": 204, "refused": 401}
_MARK = "=== the next block ==="


async def run(*command: str, system: System) -> str:
    """What the command prints; it must end with 0."""
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=ROOT,
        env=inherited_environment(extra={"AUTH": system.auth_url, "PROCESSOR": system.processor_url}),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    return output.decode()


def walk_of(page: str) -> list[Fence]:
    """The page's blocks from the first that names AUTH: commands (`sh`), each maybe followed by what they print."""
    fences = fences_of(ROOT / page)
    first = next(place for place, fence in enumerate(fences) if "AUTH=" in fence.text)
    return fences[first:]


async def test_the_shell_walk_ends_with_a_result_and_a_token_that_is_refused(system: System) -> None:
    output = await run("examples/walk.sh", system=system)
    assert re.findall(r"^([A-Z]{3}),", output, flags=re.MULTILINE) == NORTHERN
    assert re.search(r"^s3://\S+/data/part-00000-[0-9a-f]{64}\.json$", output, flags=re.MULTILINE)
    assert output.splitlines()[-1].startswith("The access token is not valid: revoked.")


async def test_the_python_walk_checks_its_result_and_its_logout(system: System) -> None:
    arguments = ("--auth", system.auth_url, "--processor", system.processor_url)
    output = await run(sys.executable, "examples/walk.py", *arguments, system=system)
    assert re.search(r"^\[#{30}\] 100% completed, 1 of 1 parts *$", output, flags=re.MULTILINE)
    assert "the SHA-256 is the manifest's" in output
    assert "the processor refuses the token" in output


async def test_a_result_is_verified_by_who_has_only_python(system: System) -> None:
    token = await system.token()
    async with httpx.AsyncClient(base_url=system.processor_url, headers={"authorization": f"Bearer {token}"}) as http:
        done = (await http.post("/api/process", json={"data_source": "test"}, headers={"prefer": "wait=20"})).json()
    arguments = (done["processing_id"], "--processor", system.processor_url, "--token", token)
    assert "verified" in await run(sys.executable, "-I", "examples/verify_result.py", *arguments, system=system)


async def test_every_request_of_the_http_file_is_answered_as_it_says(system: System) -> None:
    urls = {"auth": system.auth_url, "processor": system.processor_url}
    file = HttpFile(EXAMPLES / "walk.http", urls)
    async for name, answer in file.send_all():
        assert answer.status_code == _STATUSES.get(name, 200), (name, answer.text)
        if name == "logout":
            await asyncio.sleep(2)
    assert [record["iata"] for record in file.answers["part"].json()] == NORTHERN


WALKED = (
    "README.md",
    "docs/tutorials/first-pipeline.md",
    "docs/how-to/register-clients.md",
    "docs/how-to/use-api-keys.md",
    "docs/how-to/exchange-tokens.md",
    "docs/how-to/manage-users.md",
    "docs/how-to/read-the-audit-trail.md",
    "docs/how-to/rotate-keys.md",
    "docs/how-to/store-pipelines.md",
    "docs/how-to/try-a-job.md",
)


@pytest.mark.parametrize("page", WALKED)
async def test_a_page_s_commands_print_what_it_shows(page: str, system: System) -> None:
    walk = walk_of(page)
    script = "".join(f"{fence.text}\necho; echo '{_MARK}'\n" for fence in walk if fence.language == "sh")
    # The addresses are the system's, not those of the page.
    script = re.sub(r"^AUTH=.*$", "", script, flags=re.MULTILINE)
    outputs = iter((await run("bash", "-euo", "pipefail", "-c", script, system=system)).split(_MARK))
    printed = ""
    for fence in walk:
        if fence.language == "sh":
            printed = next(outputs)
        elif fence.language == "json":
            assert shape(json.loads(printed)) == shape(json.loads(fence.text))
        elif fence.language in {"csv", "text"}:
            assert without_names(printed) == without_names(fence.text)


def test_the_readme_s_commands_are_those_of_the_shell_walk() -> None:
    script = (EXAMPLES / "walk.sh").read_text(encoding="utf-8")
    for fence in walk_of("README.md"):
        if fence.language == "sh":
            lines = [line for line in fence.text.splitlines() if not line.startswith("AUTH=")]
            assert set(lines) <= set(script.splitlines()), fence.text


def shape(value: object) -> object:
    """Members and types; the values differ from run to run."""
    if isinstance(value, dict):
        return {name: shape(member) for name, member in value.items()}
    return [shape(value[0])] if isinstance(value, list) and value else type(value).__name__


def without_names(text: str) -> str:
    """Less the times, ids and hashes that are new in each run; a page may shorten a hash."""
    without_times = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME", text.strip())
    without_ids = re.sub(r"\b(upl|job)_[a-z2-7]{26}\b", "ID", without_times)
    return re.sub(r"-[0-9a-f]{6}(…|[0-9a-f]{58}\b)", "-SHA256", without_ids)
