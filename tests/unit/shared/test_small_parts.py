"""The clock, identifiers, rows, trace context and redaction."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import clock, ids
from shared.clients.items import from_item, to_item
from shared.telemetry.context import TraceContext, accept_request_id, continue_trace, current_trace, working_on
from shared.telemetry.logs import REDACTED, redact
from shared.testing.tokens import TokenFactory


def test_times_are_rfc_3339_in_utc_with_milliseconds() -> None:
    assert clock.rfc3339(0) == "1970-01-01T00:00:00.000Z"
    assert clock.rfc3339(1_764_023_544.1239) == "2025-11-24T22:32:24.123Z"


def test_an_id_tells_its_kind_and_does_not_repeat() -> None:
    made = {ids.new_id("ses") for _ in range(1000)}
    assert len(made) == 1000
    assert all(each.startswith("ses_") and len(each) == 30 for each in made)


def test_a_secret_has_256_bits_and_is_stored_as_its_digest() -> None:
    secret = ids.new_secret()
    assert len(secret) == 43
    assert ids.digest(secret) != secret
    assert ids.digest("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


rows = st.dictionaries(
    st.text(min_size=1),
    st.recursive(
        st.booleans() | st.integers(-(10**30), 10**30) | st.text() | st.binary(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    ),
)


@given(rows)
def test_a_row_comes_back_as_it_was(row: dict[str, object]) -> None:
    assert from_item(to_item(row)) == row


def test_a_row_leaves_out_what_is_none_and_refuses_floats() -> None:
    assert from_item(to_item({"a": None, "b": Decimal("1.5")})) == {"b": Decimal("1.5")}
    with pytest.raises(TypeError, match="Float"):
        to_item({"a": 1.5})


def test_a_trace_goes_on_and_a_broken_one_begins_anew() -> None:
    given_trace = TraceContext("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", "00")
    goes_on = continue_trace(given_trace.traceparent)
    assert (goes_on.trace_id, goes_on.flags) == (given_trace.trace_id, "00")
    assert goes_on.span_id != given_trace.span_id
    for broken in (None, "", "00-0-0-01", given_trace.traceparent + "\n", f"00-{'0' * 32}-00f067aa0ba902b7-01"):
        assert continue_trace(broken).trace_id != given_trace.trace_id


def test_the_trace_at_work_ends_with_the_work() -> None:
    trace = continue_trace(None)
    with working_on(trace):
        assert current_trace() == trace
    assert current_trace() != trace


@given(st.text())
def test_a_request_id_is_harmless(raw_request_id: str) -> None:
    accepted = accept_request_id(raw_request_id, continue_trace(None))
    assert accepted.isascii()
    assert accepted.isprintable()
    assert 0 < len(accepted) <= 128


def test_secrets_do_not_reach_the_log() -> None:
    token = TokenFactory().mint()
    event = redact(
        None,
        "info",
        {
            "event": f"sent {token} to redis://user:hunter2@host/0",
            "password": "hunter2",
            "Authorization": "Bearer x",
            "refresh_token": "abc",
            "url": "https://s3/x?X-Amz-Credential=AKIA%2F1&X-Amz-Signature=0123abcd",
            "tokens_read": 3,
            "refresh": f"got {ids.new_id('ses')}.{ids.new_secret()}{ids.new_secret()}",
            "nested": {"client_secret": "hunter2", "list": [token]},
        },
    )
    text = str(event)
    assert token not in text
    assert "hunter2" not in text
    assert "AKIA" not in text
    assert "0123abcd" not in text
    assert (event["password"], event["Authorization"], event["refresh_token"]) == (REDACTED,) * 3
    assert event["tokens_read"] == 3
    assert event["refresh"] == f"got ses_{REDACTED}"
