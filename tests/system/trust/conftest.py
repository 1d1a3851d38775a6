"""A system of its own: these tests stop, hang and empty its Redis."""

from collections.abc import AsyncIterator

import pytest

from shared.testing.stack import Stack


@pytest.fixture(scope="session")
async def trust_stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    async with Stack(tmp_path_factory.mktemp("trust"), auths=1, processors=3, workers=0) as running:
        yield running
