"""What makes a client, and how it proves that it is one."""

from dataclasses import replace

import pytest

from services.auth.domain.built_in_clients import FIRST_PARTY
from services.auth.domain.clients import Client, ClientSecret, UnverifiedClient
from services.auth.domain.oauth_errors import InvalidClient, UnauthorizedClient
from shared.ids import digest
from tests.support.clients import registered

CLIENT = registered("demo", "secret")
IN_BODY = replace(CLIENT, auth_method="client_secret_post")
PUBLIC = replace(CLIENT, auth_method="none", secrets=())


def _verified(client: Client | None, secret: str | None, *, by_header: bool = True, now: float = 100) -> Client:
    return UnverifiedClient("demo", secret, by_header=by_header).verified(client, now)


@pytest.mark.parametrize(("client", "by_header"), [(CLIENT, True), (IN_BODY, False), (IN_BODY, True)])
def test_the_right_secret_verifies_a_client(client: Client, *, by_header: bool) -> None:
    assert _verified(client, "secret", by_header=by_header) is client


@pytest.mark.parametrize("by_header", [True, False])
@pytest.mark.parametrize(
    ("client", "secret"),
    [(IN_BODY, "wrong"), (IN_BODY, None), (IN_BODY, ""), (None, "secret"), (None, ""), (PUBLIC, "secret")],
)
def test_anything_else_does_not(client: Client | None, secret: str | None, *, by_header: bool) -> None:
    with pytest.raises(InvalidClient) as caught:
        _verified(client, secret, by_header=by_header)
    assert caught.value.by_header is by_header


def test_a_client_that_is_registered_for_http_basic_does_not_send_its_secret_in_the_body() -> None:
    with pytest.raises(InvalidClient):
        _verified(CLIENT, "secret", by_header=False)


@pytest.mark.parametrize("secret", [None, ""])
def test_a_public_client_is_verified_by_its_bare_id(secret: str | None) -> None:
    assert _verified(PUBLIC, secret) is PUBLIC


def test_while_secrets_are_exchanged_each_is_good_until_it_expires() -> None:
    old, new = ClientSecret("1", digest("old"), 0, expires_at=200), ClientSecret("2", digest("new"), 100)
    client = replace(CLIENT, secrets=(old, new))
    assert _verified(client, "old", now=199) is client
    assert _verified(client, "new", now=300) is client
    with pytest.raises(InvalidClient):
        _verified(client, "old", now=200)


@pytest.mark.parametrize("secret", [None, "", "secret"])
def test_a_confidential_client_whose_secrets_have_gone_is_nobody(secret: str | None) -> None:
    with pytest.raises(InvalidClient):
        _verified(replace(CLIENT, secrets=()), secret)


def test_a_client_uses_only_the_grants_that_it_is_registered_for() -> None:
    CLIENT.must_be_for("client_credentials")
    with pytest.raises(UnauthorizedClient):
        CLIENT.must_be_for("refresh_token")


def test_the_first_party_refreshes_and_does_nothing_else() -> None:
    assert FIRST_PARTY.is_public
    assert FIRST_PARTY.grant_types == {"refresh_token"}


def test_a_clients_hash_is_not_shown_in_a_log() -> None:
    assert digest("secret") not in repr(CLIENT)
