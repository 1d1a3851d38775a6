import pytest

from tests.support.system import SystemSettings


@pytest.fixture(autouse=True)
def _compose_is_up() -> None:
    if SystemSettings().stack != "compose":
        pytest.skip("needs the compose stack: make up, then MAYFLY_TEST_STACK=compose make test")
