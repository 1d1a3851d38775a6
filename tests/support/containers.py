"""The containers of the compose stack, by the engine's own command."""

import asyncio
import json
from typing import Any

PROJECT = "mayfly"


async def docker(*words: str) -> str:
    process = await asyncio.create_subprocess_exec(
        "docker", *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    return output.decode().strip()


async def containers_of(service: str) -> list[str]:
    """The ids of the service's running containers."""
    labels = [f"label=com.docker.compose.project={PROJECT}", f"label=com.docker.compose.service={service}"]
    return (await docker("ps", "--quiet", *(word for label in labels for word in ("--filter", label)))).split()


async def inspect(container: str) -> dict[str, Any]:
    [found] = json.loads(await docker("inspect", container))
    details: dict[str, Any] = found
    return details
