import http.server
import threading
from collections.abc import Iterator

import pytest

from shared.testing.ports import free_port
from shared.web import probe


@pytest.fixture
def answering() -> Iterator[http.server.HTTPServer]:
    """A server whose `/readyz` answers what its `status` says."""

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(self.server.status)  # type: ignore[attr-defined]  # set below
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Not into the test's output."""

    server = http.server.HTTPServer(("127.0.0.1", 0), Answer)
    server.status = 200  # type: ignore[attr-defined]  # ours
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(("status", "exit_code"), [(200, 0), (503, 1)])
def test_who_listens_must_be_ready(answering: http.server.HTTPServer, status: int, exit_code: int) -> None:
    answering.status = status  # type: ignore[attr-defined]  # ours
    assert probe.main([free_port(), answering.server_port]) == exit_code


def test_somebody_must_listen() -> None:
    assert probe.main([free_port()]) == 1
