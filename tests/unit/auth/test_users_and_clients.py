import base64
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.auth.domain.access_tokens import Grant, access_claims
from services.auth.domain.clients import UnverifiedClient, narrow_scope, presented_client
from services.auth.domain.oauth_errors import InvalidClient, InvalidOAuthRequest, InvalidScope
from services.auth.domain.sessions import Origin
from services.auth.domain.users import fold_username, normalize_password, scope_of
from shared.tokens.claims import VerificationPolicy, check_claims


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_folding_twice_changes_nothing(name: str) -> None:
    assert fold_username(fold_username(name)) == fold_username(name)


@pytest.mark.parametrize("spelling", ["Ada", "ADA", "\uff21da", "\U0001d400DA"])
def test_one_name_in_many_spellings(spelling: str) -> None:
    assert fold_username(spelling) == "ada"


def test_a_password_keeps_its_case() -> None:
    assert normalize_password("A\u030a") == "\u00c5"
    assert normalize_password("Aa") != normalize_password("aa")


def test_permissions_and_roles_give_scopes_and_unknown_ones_give_nothing() -> None:
    assert scope_of(("user",), ("read", "write")) == {"jobs:read", "jobs:write"}
    assert scope_of(("admin", "user"), ("read",)) == {"admin", "jobs:read"}
    assert scope_of(("root",), ("everything", "admin")) == frozenset()


@given(st.sets(st.sampled_from("abcd")), st.lists(st.sampled_from("abcd"), min_size=1))
def test_a_scope_is_never_widened(allowed: set[str], asked: list[str]) -> None:
    if set(asked) <= allowed:
        assert narrow_scope(frozenset(allowed), " ".join(asked)) == set(asked)
    else:
        with pytest.raises(InvalidScope):
            narrow_scope(frozenset(allowed), " ".join(asked))


def test_no_scope_asked_for_is_all_that_is_allowed() -> None:
    assert narrow_scope(frozenset("ab"), None) == {"a", "b"}


@pytest.mark.parametrize("raw_scope", ["", " ", "a ", " a", "a  b", "a\tb", 'a"', "a\\", "ä", "a\n"])
def test_what_is_no_list_of_scopes_is_refused(raw_scope: str) -> None:
    with pytest.raises(InvalidScope):
        narrow_scope(frozenset("ab"), raw_scope)


def test_a_client_does_not_show_its_secret_in_a_log() -> None:
    assert "s3cr3t" not in repr(UnverifiedClient("demo", "s3cr3t", by_header=True))


@given(
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=40),
    st.text(max_size=40),
)
def test_http_basic_reads_back_what_was_sent(client_id: str, secret: str) -> None:
    secret = secret.encode("utf-8", "replace").decode().replace("\0", "")
    header = base64.b64encode(f"{quote_plus(client_id)}:{quote_plus(secret)}".encode()).decode()
    client = presented_client(f"Basic {header}", {})
    assert client is not None
    assert (client.client_id, client.secret, client.by_header) == (client_id, secret, True)


@given(st.text())
def test_any_other_authorization_is_an_invalid_client(raw_authorization: str) -> None:
    with pytest.raises(InvalidClient):
        presented_client(raw_authorization, {})


def test_a_client_may_come_in_the_body_or_not_at_all() -> None:
    assert presented_client(None, {}) is None
    assert presented_client(None, {"client_id": "x"}) == UnverifiedClient("x", None, by_header=False)
    with pytest.raises(InvalidOAuthRequest):
        presented_client(None, {"client_secret": "x"})


def test_a_users_token_passes_the_verifiers_checks() -> None:
    grant = Grant("user_ada", "mayfly-login", frozenset({"a"}), "ses_1", "ada", ("user",), ("read",))
    payload = access_claims(grant, token_id="tok_1", issuer="iss", audience="aud", issued_at=100, expires_at=200)
    claims = check_claims(payload, VerificationPolicy("iss", "aud"), 150)
    assert (claims.sub, claims.sid, claims.username, claims.roles) == ("user_ada", "ses_1", "ada", ("user",))
    assert (claims.iat, claims.nbf, claims.exp) == (100, 100, 200)


def test_a_clients_token_says_nothing_of_a_user() -> None:
    payload = access_claims(
        Grant("demo", "demo", frozenset("a")), token_id="t", issuer="i", audience="a", issued_at=1, expires_at=2
    )
    assert payload.keys() == {"iss", "sub", "aud", "client_id", "jti", "iat", "nbf", "exp", "scope"}


def test_a_user_agent_is_cut_and_holds_nothing_unprintable() -> None:
    assert Origin.of("192.0.2.7", "a\x00\x1b\u202eb" + "c" * 999).user_agent == "ab" + "c" * 198
