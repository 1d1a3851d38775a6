"""Redirect URIs, PKCE, codes and cookies, without a server."""

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.auth.domain.authorization_requests import Parameters
from services.auth.domain.browser_sessions import BrowserCookie
from services.auth.domain.device_codes import (
    DeviceAuthorization,
    DeviceCode,
    UserCode,
    new_device_authorization,
    waiting,
)
from services.auth.domain.oauth_errors import InvalidGrant, InvalidOAuthRequest
from services.auth.domain.pkce import fits, parse_challenge
from services.auth.domain.redirects import form_target, is_registered, with_parameters
from services.auth.domain.sessions import Origin

VERIFIER = st.text("ABCXYZabcxyz0189-._~", min_size=43, max_size=128)


@given(VERIFIER, VERIFIER)
def test_only_the_verifier_that_made_it_fits_a_challenge(verifier: str, other: str) -> None:
    made = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    challenge = parse_challenge(made, "S256")
    assert fits(challenge, verifier)
    assert fits(challenge, other) == (verifier == other)


def test_the_example_of_rfc_7636_fits() -> None:
    assert fits("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")


@pytest.mark.parametrize("verifier", ["", "a" * 42, "a" * 129, "a" * 42 + "é", "a" * 42 + "\n", "a" * 42 + "="])
def test_what_can_be_no_verifier_fits_nothing(verifier: str) -> None:
    made = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    assert not fits(made, verifier)


@pytest.mark.parametrize(
    ("challenge", "method"),
    [(None, "S256"), ("a" * 43, None), ("a" * 43, "plain"), ("a" * 42, "S256"), ("a" * 44, "S256")],
)
def test_a_challenge_is_made_by_s256(challenge: str | None, method: str | None) -> None:
    with pytest.raises(InvalidOAuthRequest):
        parse_challenge(challenge, method)


@pytest.mark.parametrize(
    ("asked", "registered", "is_same"),
    [
        ("https://a.example/cb", "https://a.example/cb", True),
        ("https://a.example/cb/", "https://a.example/cb", False),
        ("https://a.example:443/cb", "https://a.example/cb", False),
        ("http://127.0.0.1:1/cb", "http://127.0.0.1/cb", True),
        ("http://127.0.0.1:65535/cb?a=1", "http://127.0.0.1/cb?a=1", True),
        ("http://[::1]:8080", "http://[::1]", True),
        ("http://127.0.0.1:65536/cb", "http://127.0.0.1/cb", False),
        ("http://127.0.0.1:0/cb", "http://127.0.0.1/cb", False),
        ("http://127.0.0.1:/cb", "http://127.0.0.1/cb", False),
        ("http://127.0.0.1:8/cb#f", "http://127.0.0.1/cb", False),
        ("http://127.0.0.1:8@evil.example/cb", "http://127.0.0.1/cb", False),
        ("http://[::1]:8/cb", "http://127.0.0.1/cb", False),
        ("http://127.0.0.1:9/cb", "http://127.0.0.1:8/cb", False),
        ("http://localhost:9/cb", "http://localhost/cb", False),
        ("https://127.0.0.1:9/cb", "https://127.0.0.1/cb", False),
    ],
)
def test_a_redirect_uri_is_compared_letter_for_letter_but_for_a_loopback_port(
    asked: str, registered: str, *, is_same: bool
) -> None:
    assert is_registered(asked, [registered]) is is_same


def test_an_answer_keeps_the_query_that_was_registered() -> None:
    assert with_parameters("https://a.example/cb", {"code": "a b&"}) == "https://a.example/cb?code=a+b%26"
    assert with_parameters("https://a.example/cb?x=1", {"code": "c"}) == "https://a.example/cb?x=1&code=c"


@pytest.mark.parametrize(
    ("uri", "target"),
    [
        ("https://a.example/cb", "https://a.example"),
        ("http://127.0.0.1:8002/docs", "http://127.0.0.1:8002"),
        ("http://[::1]:8/cb", "http:"),
        ("https://a.example;x/cb", "https:"),
    ],
)
def test_a_form_may_lead_to_the_clients_origin(uri: str, target: str) -> None:
    assert form_target(uri) == target


def test_a_request_goes_on_without_the_login_that_it_has_had() -> None:
    parameters = Parameters.of([("client_id", "a"), ("prompt", "login consent"), ("odd", "x"), ("client_id", "b")])
    assert parameters.once("client_id") is None
    assert parameters.query() == "client_id=a&prompt=login+consent"
    assert parameters.query(without_login=True) == "client_id=a&prompt=consent"
    assert Parameters.of([("prompt", "login")]).query(without_login=True) == ""


@pytest.mark.parametrize(
    "raw", [None, "", "f.", "x." + "a" * 43, "s." + "a" * 42, "s." + "a" * 44, "s." + "a" * 43 + "\n"]
)
def test_what_is_no_cookie_of_ours_is_none(raw: str | None) -> None:
    assert BrowserCookie.parse(raw) is None


def test_a_form_belongs_to_one_cookie() -> None:
    one, other = BrowserCookie.before_login(), BrowserCookie.of_login()
    assert one.made_form(one.form_token)
    assert not other.made_form(one.form_token)
    assert not one.made_form("")
    assert one.value not in repr(one) + one.form_token
    assert (one.names_session, other.names_session) == (False, True)


@given(st.data())
def test_a_user_code_is_read_however_it_is_typed(data: st.DataObject) -> None:
    code = UserCode.new()
    typed = "".join(
        data.draw(st.sampled_from([letter, letter.lower()])) + data.draw(st.sampled_from(["", " ", "-", "\u2013"]))
        for letter in str(code)
    )
    assert UserCode.parse(f" {typed} ") == code


NOW = 1_800_000_000.0


def _device(**changes: object) -> DeviceAuthorization:
    _, _, row = new_device_authorization("tv", frozenset(), Origin("192.0.2.7", ""), NOW)
    values = {name: getattr(row, name) for name in row.__slots__}
    return DeviceAuthorization(**{**values, **changes})


@pytest.mark.parametrize(
    ("changes", "seconds", "error"),
    [
        ({}, 0, "authorization_pending"),
        ({}, 600, "authorization_pending"),
        ({}, 601, "expired_token"),
        ({"decision": "denied"}, 601, "access_denied"),
        ({"decision": "allowed"}, 601, "expired_token"),
        ({"asked_at_ms": int(NOW * 1000)}, 4.9, "slow_down"),
        ({"asked_at_ms": int(NOW * 1000)}, 5, "authorization_pending"),
        ({"asked_at_ms": int(NOW * 1000), "interval_seconds": 10}, 9.9, "slow_down"),
    ],
)
def test_what_a_device_is_told_that_has_to_wait(changes: dict[str, object], seconds: float, error: str) -> None:
    told = waiting(_device(**changes), NOW + seconds)
    assert told is not None
    assert told.error == error


def test_a_device_that_is_let_in_is_not_told_to_wait_however_often_it_asks() -> None:
    assert waiting(_device(decision="allowed", asked_at_ms=int(NOW * 1000)), NOW) is None


def test_a_device_code_is_never_shown_whole() -> None:
    _, code, row = new_device_authorization("tv", frozenset(), Origin("192.0.2.7", ""), NOW)
    assert DeviceCode.parse(str(code)) == code
    assert code.secret not in repr(code) + repr(row)
    with pytest.raises(InvalidGrant):
        DeviceCode.parse(str(code) + "\n")
