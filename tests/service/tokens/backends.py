"""What several tests here do to real servers."""

from collections.abc import Iterator
from contextlib import contextmanager

from shared.settings import SharedSettings, load
from shared.testing.server import Server


def settings(endpoint_url: str) -> SharedSettings:
    """Settings for AWS at this address."""
    return load(SharedSettings, aws_endpoint_url=endpoint_url, aws_access_key_id="test", aws_secret_access_key="test")


@contextmanager
def hung(*servers: Server) -> Iterator[None]:
    """Within: they answer nothing. They go on afterwards, whatever the test found."""
    for server in servers:
        server.pause()
    try:
        yield
    finally:
        for server in servers:
            server.resume()
