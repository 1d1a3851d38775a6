"""Node packages that a test or a measurement needs: installed where their lock lies, once for each lock."""

import asyncio
import hashlib
from collections.abc import Callable
from pathlib import Path


def missing_tools(which: Callable[[str], str | None]) -> str | None:
    """Why Node packages can't be used here; None: they can."""
    missing = [name for name in ("node", "npm") if which(name) is None]
    return f"needs Node 20 and npm; not found: {', '.join(missing)}" if missing else None


async def install(folder: Path) -> None:
    """`npm ci`, unless exactly this lock is installed already. Scripts of packages are not run."""
    lock = hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()
    mark = folder / "node_modules" / ".installed"
    if mark.exists() and mark.read_text(encoding="ascii") == lock:
        return
    process = await asyncio.create_subprocess_exec(
        "npm",
        "ci",
        "--ignore-scripts",
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"npm ci failed in {folder}:\n{output.decode()}")
    mark.write_text(lock, encoding="ascii")
