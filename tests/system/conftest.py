"""The whole system, once per session.

- `system`: addresses and logins, whether embedded or compose (MAYFLY_TEST_STACK=compose). Prefer it.
- `stack`: the embedded system's processes, for a test that adds, kills, hangs or restarts instances. Under compose
  such a test is skipped. It leaves every backend and the first instance of each kind running.

A test that wants other counts or settings starts a `Stack` of its own.
"""

from collections.abc import AsyncIterator

import pytest

from shared.testing.stack import Stack
from tests.support.system import System, SystemSettings


@pytest.fixture(scope="session")
def system(request: pytest.FixtureRequest) -> System:
    settings = SystemSettings()
    if settings.stack == "compose":
        return System(auth_url=settings.gateway_url, processor_url=settings.gateway_url)
    stack: Stack = request.getfixturevalue("stack")
    return System(auth_url=stack.auth_url, processor_url=stack.processor_url)


@pytest.fixture(scope="session")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    if SystemSettings().stack == "compose":
        pytest.skip("compose owns its processes: this test kills or adds some")
    async with Stack(tmp_path_factory.mktemp("stack"), processors=2) as running:
        yield running
