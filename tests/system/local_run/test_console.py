import json

from deploy.local.console import warning_line


def test_a_warning_is_shown_with_its_fields() -> None:
    record = {"level": "warning", "event": "redis_lost", "time": "2026-11-24T22:22:24Z", "attempt": 3}
    assert warning_line(json.dumps(record).encode()) == "warning redis_lost attempt=3"


def test_an_error_is_shown_with_the_last_line_of_its_trace() -> None:
    record = {"level": "error", "event": "failed\n", "exception": "Traceback…\n  File…\nValueError: no such row"}
    assert warning_line(json.dumps(record).encode()) == "error failed ValueError: no such row"


def test_what_is_no_warning_is_not_shown() -> None:
    assert warning_line(b'{"level": "info", "event": "job_completed"}') is None
    assert warning_line(b"INFO: started") is None
    assert warning_line(b"[1]") is None
