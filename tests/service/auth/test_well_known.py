import json

import httpx
import pytest

from services.auth.domain.grant_types import DEVICE_CODE
from services.auth.flows.revoke_token import NothingRevoked
from shared.tokens.claims import VerificationPolicy
from shared.tokens.compact import decode_segment
from shared.tokens.key_source import StaticKeySource
from shared.tokens.keyset import KeySet
from shared.tokens.pem_keys import generate_pem
from shared.tokens.signature import Algorithm
from shared.tokens.verifier import Verifier
from tests.service.auth.conftest import MakeSettings
from tests.service.auth.running import Auth, running

JWKS, METADATA = "/.well-known/jwks.json", "/.well-known/oauth-authorization-server"


def _verifier_of(jwk: dict[str, str]) -> Verifier:
    """What a third party would make of the published key."""
    policy = VerificationPolicy("http://auth.test", "mayfly")
    return Verifier(StaticKeySource(KeySet.parse({"keys": [jwk]})), NothingRevoked(), policy)


def _header(token: str) -> dict[str, str]:
    header: dict[str, str] = json.loads(decode_segment(token.split(".", maxsplit=1)[0].encode()))
    return header


@pytest.mark.parametrize(("alg", "members"), [("RS256", {"kty", "n", "e"}), ("ES256", {"kty", "crv", "x", "y"})])
async def test_the_keys_are_public_and_verify_our_tokens(
    make_settings: MakeSettings, alg: Algorithm, members: set[str]
) -> None:
    async with running(make_settings(signing_key=generate_pem(alg), signing_algorithm=alg)) as auth:
        [key] = (await auth.http.get(JWKS)).json()["keys"]
        token = (await auth.login())["token"]
        assert key.keys() == members | {"alg", "use", "kid"}
        assert _header(token) == {"typ": "at+jwt", "alg": alg, "kid": key["kid"]}
        assert (await _verifier_of(key).verify(token)).user_id == "user_testuser"


async def test_keys_rotate_by_hand_without_a_token_refused(make_settings: MakeSettings, signing_key: str) -> None:
    following = generate_pem("RS256")
    async with running(make_settings(other_keys=following)) as before:
        keys = (await before.http.get(JWKS)).json()["keys"]
        old_token = (await before.login())["token"]
        assert [key["alg"] for key in keys] == ["ES256", "RS256"]
        assert _header(old_token)["kid"] == keys[0]["kid"]
    rotated = make_settings(signing_key=following, signing_algorithm="RS256", other_keys=signing_key)
    async with running(rotated) as after:
        new_token = (await after.login())["token"]
        assert [key["kid"] for key in (await after.http.get(JWKS)).json()["keys"]] == [
            key["kid"] for key in reversed(keys)
        ]
        assert _header(new_token)["kid"] == keys[1]["kid"]
        assert await after.accepts(old_token)
        assert await after.accepts(new_token)


async def test_the_metadata_names_only_what_exists(auth: Auth) -> None:
    body = (await auth.http.get(METADATA)).json()
    assert body["issuer"] == "http://auth.test"
    assert body["grant_types_supported"] == [
        "authorization_code",
        "refresh_token",
        "client_credentials",
        "urn:ietf:params:oauth:grant-type:token-exchange",
        DEVICE_CODE,
    ]
    assert body["response_types_supported"] == ["code"]
    assert body["code_challenge_methods_supported"] == ["S256"]
    assert body["authorization_response_iss_parameter_supported"] is True
    assert body["revocation_max_staleness"] == 2.0
    for endpoint in (body[name] for name in body if name.endswith(("_uri", "_endpoint"))):
        path = endpoint.removeprefix("http://auth.test")
        assert (await auth.http.request("OPTIONS", path)).status_code == 405
    assert body.keys().isdisjoint({"subject_types_supported", "id_token_signing_alg_values_supported"})
    assert "openid" not in body["scopes_supported"]
    assert (await auth.http.get("/.well-known/openid-configuration")).json() == body


@pytest.mark.parametrize("path", [JWKS, METADATA])
async def test_a_document_is_not_sent_again_while_it_is_the_same(auth: Auth, path: str) -> None:
    first = await auth.http.get(path)
    assert first.headers["cache-control"] == "public, max-age=300"
    etag = first.headers["etag"]
    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        again = await auth.http.get(path, headers={"if-none-match": known})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == etag
        assert again.headers["cache-control"] == "public, max-age=300"


@pytest.mark.parametrize("known", ['"other"', "nonsense", ""])
async def test_a_document_is_sent_to_who_knows_another(auth: Auth, known: str) -> None:
    response: httpx.Response = await auth.http.get(JWKS, headers={"if-none-match": known})
    assert response.status_code == 200


async def test_instances_with_the_same_key_publish_the_same_document(auth: Auth, other_auth: Auth) -> None:
    one, other = await auth.http.get(JWKS), await other_auth.http.get(JWKS)
    assert (one.content, one.headers["etag"]) == (other.content, other.headers["etag"])


async def test_the_caches_age_is_a_setting(make_settings: MakeSettings) -> None:
    async with running(make_settings(jwks_max_age_seconds=7)) as auth:
        assert (await auth.http.get(JWKS)).headers["cache-control"] == "public, max-age=7"
