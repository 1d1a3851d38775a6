"""A system of its own: these tests stop, hang, empty and replace what it stands on."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from shared.testing.stack import Stack
from tests.system.trust.world import World, open_world


@pytest.fixture(scope="session")
async def whole_world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("trust")
    async with AsyncExitStack() as stack:
        yield await open_world(stack, folder)


@pytest.fixture
async def world(whole_world: World) -> AsyncIterator[World]:
    """Whatever the last test did, everything runs; whatever this one does, everything runs again after it."""
    await whole_world.mend()
    yield whole_world
    await whole_world.mend()


@pytest.fixture
def stack(world: World) -> Stack:
    return world.stack
