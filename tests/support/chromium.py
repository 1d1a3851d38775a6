"""A real Chromium without a window, driven by the DevTools protocol over two pipes: no driver, no package besides.

https://chromedevtools.github.io/devtools-protocol/ says what the methods do. Keys and clicks are real input events.
"""

import asyncio
import base64
import contextlib
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from shared.background import end
from tests.support.waiting import eventually

_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--remote-debugging-pipe",
)
_PATIENCE_SECONDS = 60
_LAUNCH = """
import fcntl, os, sys
for number, name in enumerate([fcntl.fcntl(int(name), fcntl.F_DUPFD, 10) for name in sys.argv[1:3]], 3):
    os.dup2(name, number)
os.execv(sys.argv[3], sys.argv[3:])
"""
_PLACE = """element => {
  if (element === null) return null;
  element.scrollIntoView({block: "center"});
  const box = element.getBoundingClientRect(), x = box.x + box.width / 2, y = box.y + box.height / 2;
  return element.contains(document.elementFromPoint(x, y)) ? [x, y] : null;
}"""
_KEYS = {"Tab": 9, "Enter": 13, " ": 32}


def require_chromium() -> str:
    """The program; the test is skipped where there is none."""
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        pytest.skip("there is no Chromium on this machine: install the package chromium")
    return found


class Devtools:
    """One connection. What is asked is answered by its number; events are not looked at."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._task = asyncio.create_task(self._read())

    async def ask(self, method: str, *, session: str | None = None, **parameters: object) -> dict[str, Any]:
        number = len(self._waiting)
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        message = {"id": number, "method": method, "params": parameters} | ({"sessionId": session} if session else {})
        self._writer.write(json.dumps(message).encode() + b"\0")
        async with asyncio.timeout(_PATIENCE_SECONDS):
            result: dict[str, Any] = await answer
            return result

    async def close(self) -> None:
        await end(self._task)
        self._writer.close()

    async def _read(self) -> None:
        while True:
            message = json.loads((await self._reader.readuntil(b"\0"))[:-1])
            answer = self._waiting.get(message.get("id", -1))
            if answer is not None and not answer.done():
                if "error" in message:
                    answer.set_exception(RuntimeError(message["error"]["message"]))
                else:
                    answer.set_result(message["result"])


class Tab:
    def __init__(self, devtools: Devtools, target: str, session: str) -> None:
        self._devtools, self.target, self._session = devtools, target, session

    async def ask(self, method: str, **parameters: object) -> dict[str, Any]:
        return await self._devtools.ask(method, session=self._session, **parameters)

    async def open(self, url: str) -> None:
        await self.ask("Page.navigate", url=url)
        await self.until("true")

    async def run(self, script: str) -> Any:  # noqa: ANN401 - any JSON value
        """The value of the expression."""
        answer = await self.ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    async def until(self, script: str) -> None:
        """Returns when the page has loaded and the expression is true."""

        async def is_true() -> bool:
            with contextlib.suppress(RuntimeError, AssertionError):
                return bool(await self.run(f"document.readyState === 'complete' && ({script})"))
            return False

        await eventually(is_true, timeout_seconds=_PATIENCE_SECONDS)

    async def click(self, selector: str) -> None:
        """With the mouse, in the middle of the first that matches, once that is to be seen and stands still."""
        seen: list[object] = []

        async def stands_still() -> bool:
            with contextlib.suppress(AssertionError):
                seen.append(await self.run(f"({_PLACE})(document.querySelector({json.dumps(selector)}))"))
            return len(seen) > 1 and seen[-1] == seen[-2] is not None

        await eventually(stands_still, timeout_seconds=_PATIENCE_SECONDS)
        box: Any = seen[-1]
        for kind in ("mousePressed", "mouseReleased"):
            await self.ask("Input.dispatchMouseEvent", type=kind, x=box[0], y=box[1], button="left", clickCount=1)

    async def press(self, key: str) -> None:
        text = {"text": "\r"} if key == "Enter" else {"text": key} if key == " " else {}
        code = _KEYS[key]
        await self.ask("Input.dispatchKeyEvent", type="keyDown", key=key, windowsVirtualKeyCode=code, **text)
        await self.ask("Input.dispatchKeyEvent", type="keyUp", key=key, windowsVirtualKeyCode=code)

    async def type(self, text: str) -> None:
        await self.ask("Input.insertText", text=text)

    async def picture(self) -> bytes:
        """The page as a PNG."""
        return base64.b64decode((await self.ask("Page.captureScreenshot"))["data"])


class Chromium:
    def __init__(self, devtools: Devtools) -> None:
        self._devtools = devtools

    async def new_tab(self) -> Tab:
        target = (await self._devtools.ask("Target.createTarget", url="about:blank"))["targetId"]
        return await self._attached(target)

    async def tab_of(self, address: str) -> Tab:
        """The one, such as a window that a page has opened, that shows an address beginning so."""
        found: list[str] = []

        async def is_there() -> bool:
            targets = (await self._devtools.ask("Target.getTargets"))["targetInfos"]
            found[:] = [each["targetId"] for each in targets if each["url"].startswith(address)]
            return bool(found)

        await eventually(is_there, timeout_seconds=_PATIENCE_SECONDS)
        return await self._attached(found[0])

    async def _attached(self, target: str) -> Tab:
        session = (await self._devtools.ask("Target.attachToTarget", targetId=target, flatten=True))["sessionId"]
        tab = Tab(self._devtools, target, session)
        await tab.ask("Emulation.setFocusEmulationEnabled", enabled=True)
        return tab


@asynccontextmanager
async def chromium(folder: Path) -> AsyncIterator[Chromium]:
    """`folder` takes its profile. Chromium reads commands from file descriptor 3 and answers on 4."""
    program = require_chromium()
    to_read, to_write = os.pipe()
    from_read, from_write = os.pipe()
    pipes = str(to_read), str(from_write)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _LAUNCH, *pipes, program, *_FLAGS, f"--user-data-dir={folder}"),
        pass_fds=(to_read, from_write),
        env={"PATH": os.defpath, "LANG": "C.UTF-8", "HOME": str(folder)},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    os.close(to_read)
    os.close(from_write)
    devtools = Devtools(*await _streams(from_read, to_write))
    try:
        yield Chromium(devtools)
        await devtools.ask("Browser.close")
    finally:
        await devtools.close()
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _streams(read_fd: int, write_fd: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=64 * 1024 * 1024)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(read_fd, "rb"))
    transport, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, os.fdopen(write_fd, "wb"))
    return reader, asyncio.StreamWriter(transport, protocol, reader, loop)
