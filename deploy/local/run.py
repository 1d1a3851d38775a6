"""The local run from its first line to its last: start, watch, end."""

import asyncio
import os
import signal
from contextlib import suppress

from deploy.local.console import say, say_of, say_ready, show_warnings
from deploy.local.folder_lock import FolderTaken, locked_folder
from deploy.local.parts import Parts, make_parts
from deploy.local.settings import LocalSettings, load_local_settings, require_free
from deploy.local.supervision import AfterRestart, end_of, keep_alive
from deploy.local.welcome import welcome
from shared import clock
from shared.settings import SettingsError
from shared.testing.processes import ChildFailed, together
from shared.testing.server import Server, ServerMissing

_ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_KILLED = 130


def run() -> int:
    """Returns the exit code: 0 after Ctrl-C or SIGTERM, 1 with one line that says what is wrong and what helps."""
    try:
        settings = load_local_settings()
        with locked_folder(settings.local_folder):
            require_free(settings.ports)
            asyncio.run(_run(settings))
    except (SettingsError, FolderTaken, ServerMissing, ChildFailed) as error:
        say(f"Mayfly can't run: {error}")
        return 1
    return 0


async def _run(settings: LocalSettings) -> None:
    parts = make_parts(settings)
    for old_log in parts.log_folder.glob("*.log"):
        old_log.unlink()
    life = asyncio.create_task(_live(parts, settings))
    loop = asyncio.get_running_loop()
    for number in _ENDING_SIGNALS:
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup asked for that one
            loop.add_signal_handler(number, _end, life, parts)
    try:
        with suppress(asyncio.CancelledError):
            await life
    finally:
        await _stop(parts)


def _end(life: asyncio.Task[None], parts: Parts) -> None:
    """The first signal ends everything in order; the second kills."""
    if not life.cancelling() and not life.done():
        say("\nEnding. (Ctrl-C again kills at once; what the emulator keeps in memory is lost then.)")
        life.cancel()
        return
    for server in _servers(parts):
        if server.child.running:
            with suppress(ProcessLookupError):
                os.killpg(server.child.pid, signal.SIGKILL)
    say("Killed.")
    os._exit(_KILLED)


async def _live(parts: Parts, settings: LocalSettings) -> None:
    started_at = clock.monotonic()
    say(f"Mayfly starts. It keeps its state in {settings.local_folder}/ (`make clean` removes it).")
    await together(*(_start(server) for server in (parts.redis, parts.aws) if server is not None))
    bootstrap_at = clock.monotonic()
    await parts.bootstrap()
    say_ready("bootstrap", clock.monotonic() - bootstrap_at, "tables, bucket, queues, signing key, demo users")
    await _start(parts.auth)
    await together(_start(parts.processor), _start(parts.worker))
    say(f"All ready after {clock.monotonic() - started_at:.1f} s.")
    say(welcome(parts.auth.url, parts.processor.url, f"{settings.local_folder}/logs/"))
    await _watch(parts)


async def _start(server: Server) -> None:
    seconds = await server.start()
    say_ready(server.child.name, seconds, server.url)


async def _watch(parts: Parts) -> None:
    async def make_tables_again() -> None:
        await parts.bootstrap()
        say_of(parts.aws.child.name, "did not save its state: sessions and jobs since the last Ctrl-C are lost")

    restarted: dict[Server, AfterRestart] = {parts.aws: make_tables_again}
    await together(
        *(keep_alive(server, restarted.get(server)) for server in _servers(parts)),
        *(show_warnings(instance.name, instance.child.log_file) for instance in parts.services),
    )


async def _stop(parts: Parts) -> None:
    """Services first: they give back what they hold. Then the emulator, which saves its state, and Redis."""
    started_at = clock.monotonic()
    await together(*(_stop_one(instance) for instance in parts.services))
    await _stop_one(parts.aws)
    if parts.redis is not None:
        await _stop_one(parts.redis)
    say(f"All ended after {clock.monotonic() - started_at:.1f} s.")


async def _stop_one(server: Server) -> None:
    if server.child.running:
        exit_code = await server.stop()
        say_of(server.child.name, "ended" if exit_code == 0 else f"ended ({end_of(exit_code)})")


def _servers(parts: Parts) -> list[Server]:
    return [server for server in (parts.redis, parts.aws, *parts.services) if server is not None]
