"""What an exchange request says, and what of scope and audience comes out of it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.auth.domain.access_tokens import Grant, acting
from services.auth.domain.oauth_errors import InvalidOAuthRequest, InvalidScope, InvalidTarget, OAuthError
from services.auth.domain.token_exchange import (
    ACCESS_TOKEN_TYPE,
    API_KEY_TYPE,
    Exchange,
    exchanged_audience,
    exchanged_scope,
)
from services.auth.domain.users import within
from shared.tokens.claims import MOST_PARENTS, Claims, Parent
from tests.support.clients import exchanging

SCOPES = ("jobs:read", "jobs:write", "admin")
SUBJECT = Claims(
    "iss", "usr_1", ("house",), "app", "tok_1", 10, None, 99, frozenset({"jobs:read"}), "ses_1",
    ("user", "admin"), ("read", "write"), "ada", "key_1",
)  # fmt: skip


@given(
    st.frozensets(st.sampled_from(SCOPES)),
    st.frozensets(st.sampled_from(SCOPES)),
    st.text("adminjobs:re ", max_size=20),
)
def test_whatever_is_asked_for_the_scope_is_in_both(held: frozenset[str], own: frozenset[str], asked: str) -> None:
    client = replace(exchanging(), scope=own)
    try:
        scope = exchanged_scope(held, client, asked or None)
    except InvalidScope:
        return
    assert scope
    assert scope <= held & own


@given(
    st.lists(st.sampled_from(["house", "gateway", "billing", "ledger"]), max_size=3),
    st.sampled_from(["house", "billing", "x", None]),
)
def test_no_token_comes_back_to_this_house_that_was_made_for_another(aud: list[str], asked: str | None) -> None:
    client = exchanging("gateway", "secret", "billing")
    try:
        audience = exchanged_audience(SUBJECT._replace(aud=tuple(aud)), client, asked, "house")
    except OAuthError:
        return
    assert audience == "billing" or "house" in aud
    assert asked in {None, audience}


def test_a_chain_has_an_end() -> None:
    parents = (Parent("tok_0", "app", 1, "key_1"),) * MOST_PARENTS
    with pytest.raises(InvalidOAuthRequest):
        exchanged_audience(SUBJECT._replace(parents=parents), exchanging(), None, "house")


def test_who_has_no_audience_left_is_told_so() -> None:
    with pytest.raises(InvalidTarget, match="none"):
        exchanged_audience(SUBJECT._replace(aud=("gateway",)), exchanging("gateway"), None, "house")


def test_roles_and_permissions_go_no_further_than_the_scope() -> None:
    assert within(frozenset({"jobs:read"}), ("user", "admin"), ("read", "write")) == (["user"], ["read"])
    assert within(frozenset({"admin"}), ("user", "admin"), ("read", "write")) == (["user", "admin"], [])
    grant = Grant.of_exchange(SUBJECT, "gateway", frozenset({"jobs:read"}), "house")
    assert (grant.roles, grant.permissions, grant.session_id) == (("user",), ("read",), "ses_1")
    assert grant.parents == (Parent("tok_1", "app", 10, "key_1"),)


def test_the_first_client_acted_for_nobody() -> None:
    first, second = Parent("tok_1", "app", 10, "key_1"), Parent("tok_2", "gateway", 11, "key_1")
    assert acting("gateway", [first]) == {"sub": "gateway"}
    assert acting("billing", [second, first]) == {"sub": "billing", "act": {"sub": "gateway"}}


def test_a_request_shows_no_token_in_a_log() -> None:
    form = {"subject_token": "s3cr3t", "subject_token_type": ACCESS_TOKEN_TYPE}
    assert "s3cr3t" not in repr(Exchange.parse(form))


def test_nobody_acts_for_the_holder_of_an_api_key() -> None:
    form = {"subject_token": "x", "subject_token_type": API_KEY_TYPE}
    assert Exchange.parse(form).subject_is_api_key
    with pytest.raises(InvalidOAuthRequest):
        Exchange.parse(form | {"actor_token": "x", "actor_token_type": ACCESS_TOKEN_TYPE})
    with pytest.raises(InvalidOAuthRequest):
        Exchange.parse(form | {"actor_token": "x", "actor_token_type": API_KEY_TYPE})
