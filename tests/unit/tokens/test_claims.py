"""What a payload must say, each rule by its own line. The time is an argument, so every edge is exact."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.tokens.claims import (
    MAX_LIFETIME_SECONDS,
    Caller,
    InvalidToken,
    Parent,
    VerificationPolicy,
    check_claims,
)

POLICY = VerificationPolicy(issuer="https://auth.test", audience="mayfly", clock_skew_seconds=5)
NOW = 1_000_000.0
PAYLOAD: dict[str, Any] = {
    "iss": "https://auth.test",
    "sub": "usr_ada",
    "aud": "mayfly",
    "client_id": "cli_app",
    "jti": "tok_1",
    "iat": 999_990,
    "exp": 1_000_890,
    "scope": "jobs:read jobs:write",
    "sid": "ses_1",
    "roles": ["user", "admin"],
    "permissions": ["jobs"],
    "username": "ada",
}
ABSENT = object()


def payload(**overrides: object) -> dict[str, Any]:
    return {name: value for name, value in {**PAYLOAD, **overrides}.items() if value is not ABSENT}


def reason(unverified: dict[str, Any], now: float = NOW) -> str:
    with pytest.raises(InvalidToken) as refusal:
        check_claims(unverified, POLICY, now)
    return refusal.value.reason


def test_good_claims_become_values() -> None:
    claims = check_claims(payload(), POLICY, NOW)
    assert (claims.iss, claims.sub, claims.client_id, claims.jti) == (
        "https://auth.test",
        "usr_ada",
        "cli_app",
        "tok_1",
    )
    assert (claims.iat, claims.nbf, claims.exp, claims.sid) == (999_990, None, 1_000_890, "ses_1")
    assert (claims.aud, claims.scope) == (("mayfly",), frozenset({"jobs:read", "jobs:write"}))
    assert (claims.roles, claims.permissions, claims.username) == (("user", "admin"), ("jobs",), "ada")


def test_a_caller_shows_what_was_proven() -> None:
    caller = Caller(check_claims(payload(), POLICY, NOW))
    assert (caller.user_id, caller.client_id, caller.session_id) == ("usr_ada", "cli_app", "ses_1")
    assert (caller.scope, caller.roles, caller.permissions) == (
        frozenset({"jobs:read", "jobs:write"}),
        ("user", "admin"),
        ("jobs",),
    )


def test_a_clients_own_token_needs_no_user() -> None:
    bare = payload(sid=ABSENT, roles=ABSENT, permissions=ABSENT, username=ABSENT, scope=ABSENT)
    claims = check_claims(bare, POLICY, NOW)
    assert (claims.sid, claims.roles, claims.permissions, claims.username) == (None, (), (), None)
    assert claims.scope == frozenset()


def test_one_of_several_audiences_is_enough() -> None:
    assert check_claims(payload(aud=["other", "mayfly"]), POLICY, NOW).aud == ("other", "mayfly")


@pytest.mark.parametrize("name", ["iss", "sub", "aud", "client_id", "jti", "iat", "exp"])
def test_a_required_claim_that_is_missing_is_refused(name: str) -> None:
    assert reason(payload(**{name: ABSENT})) in {"wrong-issuer", "wrong-audience", "invalid-claims"}


@pytest.mark.parametrize("name", ["sub", "client_id", "jti", "sid", "username"])
@pytest.mark.parametrize("value", ["", 7, True, ["x"], {"x": 1}, 1.5])
def test_a_name_is_a_string_with_letters(name: str, value: object) -> None:
    assert reason(payload(**{name: value})) == "invalid-claims"


@pytest.mark.parametrize("name", ["sub", "client_id", "jti", "scope"])
def test_a_required_string_is_not_null(name: str) -> None:
    assert reason(payload(**{name: None})) == "invalid-claims"


@pytest.mark.parametrize("value", ["https://auth.test/", "", None, 7, ["https://auth.test"]])
def test_another_issuer_is_refused(value: object) -> None:
    assert reason(payload(iss=value)) == "wrong-issuer"


@pytest.mark.parametrize("value", ["may", "mayfly ", "", None, [], ["other"]])
def test_another_audience_is_refused(value: object) -> None:
    assert reason(payload(aud=value)) == "wrong-audience"


@pytest.mark.parametrize("value", [7, {"mayfly": 1}, ["mayfly", 7], ["mayfly", None]])
def test_an_audience_of_another_type_is_refused(value: object) -> None:
    assert reason(payload(aud=value)) == "invalid-claims"


@pytest.mark.parametrize("name", ["exp", "iat", "nbf"])
@pytest.mark.parametrize("value", ["1000890", 1_000_890.0, True, math.inf, math.nan, [1], -1, 10**12, 10**400])
def test_a_time_is_a_sane_integer(name: str, value: object) -> None:
    assert reason(payload(**{name: value})) == "invalid-claims"


@pytest.mark.parametrize("name", ["exp", "iat"])
def test_a_required_time_is_not_null(name: str) -> None:
    assert reason(payload(**{name: None})) == "invalid-claims"


def test_a_token_expires_with_its_second() -> None:
    assert check_claims(payload(exp=1_000_001), POLICY, NOW).exp == 1_000_001
    assert reason(payload(exp=1_000_000)) == "expired"
    assert reason(payload(exp=1_000_001), now=1_000_001.0) == "expired"


def test_a_token_is_not_issued_in_the_future_beyond_the_skew() -> None:
    assert check_claims(payload(iat=1_000_005), POLICY, NOW).iat == 1_000_005
    assert reason(payload(iat=1_000_006)) == "not-yet-valid"


def test_a_token_is_not_used_before_its_time() -> None:
    assert check_claims(payload(nbf=1_000_005), POLICY, NOW).nbf == 1_000_005
    assert reason(payload(nbf=1_000_006)) == "not-yet-valid"


def test_a_token_that_lives_longer_than_a_revocation_is_kept_is_refused() -> None:
    longest = payload(exp=PAYLOAD["iat"] + MAX_LIFETIME_SECONDS)
    assert check_claims(longest, POLICY, NOW).exp == PAYLOAD["iat"] + MAX_LIFETIME_SECONDS
    assert reason({**longest, "exp": longest["exp"] + 1}) == "invalid-claims"


def test_a_token_expires_after_its_issue() -> None:
    assert reason(payload(iat=1_000_004, exp=1_000_004)) == "invalid-claims"


@pytest.mark.parametrize("value", [7, ["jobs:read"], {"jobs:read": True}, True])
def test_a_scope_is_one_string(value: object) -> None:
    assert reason(payload(scope=value)) == "invalid-claims"


@pytest.mark.parametrize("name", ["roles", "permissions"])
@pytest.mark.parametrize("value", ["admin", {"admin": 1}, [1], [None], True])
def test_roles_and_permissions_are_lists_of_strings(name: str, value: object) -> None:
    assert reason(payload(**{name: value})) == "invalid-claims"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(overrides=st.dictionaries(st.sampled_from([*PAYLOAD, "nbf"]), json_values))
def test_any_payload_is_claims_or_refused(overrides: dict[str, Any]) -> None:
    try:
        claims = check_claims({**PAYLOAD, **overrides}, POLICY, NOW)
    except InvalidToken:
        return
    assert claims.exp > NOW


PARENT: dict[str, Any] = {"jti": "tok_0", "client_id": "cli_web", "iat": 999_980, "kid": "key_0"}


def test_the_tokens_that_one_was_exchanged_from_become_values() -> None:
    claims = check_claims(payload(exchanged_from=[PARENT, {**PARENT, "jti": "tok_00"}]), POLICY, NOW)
    assert claims.parents == (
        Parent("tok_0", "cli_web", 999_980, "key_0"),
        Parent("tok_00", "cli_web", 999_980, "key_0"),
    )
    assert check_claims(payload(), POLICY, NOW).parents == ()


@pytest.mark.parametrize(
    "parents",
    [
        [],
        {},
        "tok_0",
        PARENT,
        [PARENT] * 5,
        ["tok_0"],
        [[]],
        [None],
        [{**PARENT, "more": 1}],
        [{name: value for name, value in PARENT.items() if name != "kid"}],
        [{**PARENT, "jti": ""}],
        [{**PARENT, "jti": 7}],
        [{**PARENT, "client_id": None}],
        [{**PARENT, "kid": ["key_0"]}],
        [{**PARENT, "iat": "999980"}],
        [{**PARENT, "iat": True}],
        [{**PARENT, "iat": -1}],
        [{**PARENT, "iat": 1e9}],
        [{**PARENT, "iat": 1 << 80}],
        [PARENT, {}],
    ],
    ids=str,
)
def test_a_parent_that_is_not_right_to_the_letter_is_refused(parents: object) -> None:
    assert reason(payload(exchanged_from=parents)) == "invalid-claims"


def test_the_issuer_takes_tokens_that_it_made_for_others() -> None:
    anyone = VerificationPolicy(POLICY.issuer, None)
    assert check_claims(payload(aud="billing"), anyone, NOW).aud == ("billing",)
    with pytest.raises(InvalidToken):
        check_claims(payload(aud=ABSENT), anyone, NOW)
