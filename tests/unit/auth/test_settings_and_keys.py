from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from services.auth.main import create_app
from services.auth.settings import AuthSettings
from services.auth.signing_keys import StaticKeys, load_static_keys
from shared.settings import SettingsError, load
from shared.tokens.pem_keys import generate_pem

EC, RSA = generate_pem("ES256"), generate_pem("RS256")


def _settings(**overrides: object) -> AuthSettings:
    return load(AuthSettings, **{"signing_key": EC, "signing_algorithm": "ES256", **overrides})


def keys_of(settings: AuthSettings) -> StaticKeys:
    keys = load_static_keys(settings)
    assert keys is not None
    return keys


def _public(pem: str) -> str:
    key = load_pem_private_key(pem.encode(), None).public_key()
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@pytest.mark.parametrize(("pem", "alg"), [(EC, "ES256"), (RSA, "RS256")])
def test_a_key_has_the_same_name_whether_it_signs_or_is_only_published(pem: str, alg: str) -> None:
    other = RSA if pem is EC else EC
    signing = keys_of(_settings(signing_key=pem, signing_algorithm=alg))
    for published in (pem, _public(pem)):
        keys = keys_of(
            _settings(signing_key=other, signing_algorithm="RS256" if alg == "ES256" else "ES256", other_keys=published)
        )
        assert keys.jwks["keys"][1] == signing.jwks["keys"][0]


def test_further_keys_are_published_after_the_one_that_signs() -> None:
    keys = keys_of(_settings(other_keys=RSA + _public(generate_pem("ES256"))))
    assert [key["alg"] for key in keys.jwks["keys"]] == ["ES256", "RS256", "ES256"]
    assert keys.active.kid == keys.jwks["keys"][0]["kid"]


def test_a_key_that_is_named_twice_is_published_once() -> None:
    assert len(keys_of(_settings(other_keys=EC)).jwks["keys"]) == 1


def test_nothing_private_is_published() -> None:
    for key in keys_of(_settings(other_keys=RSA)).jwks["keys"]:
        assert not {"d", "p", "q", "dp", "dq", "qi"} & key.keys()


@pytest.mark.parametrize(
    ("overrides", "text"),
    [
        ({"signing_key": "nonsense"}, "MAYFLY_SIGNING_KEY does not sign ES256"),
        ({"signing_key": RSA}, "MAYFLY_SIGNING_KEY does not sign ES256"),
        ({"signing_key": _public(EC)}, "MAYFLY_SIGNING_KEY does not sign ES256"),
        ({"other_keys": "nonsense"}, "MAYFLY_OTHER_KEYS holds something that is no key"),
        ({"other_keys": EC + "and more"}, "MAYFLY_OTHER_KEYS holds something that is no key"),
        (
            {"other_keys": "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"},
            "MAYFLY_OTHER_KEYS holds a key that can't be read",
        ),
        (
            {
                "other_keys": ec.generate_private_key(ec.SECP384R1())
                .public_key()
                .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
                .decode()
            },
            "neither RSA nor on P-256",
        ),
    ],
)
def test_a_key_that_can_not_be_used_stops_the_start_with_one_clear_line(overrides: dict[str, str], text: str) -> None:
    with pytest.raises(SettingsError) as caught:
        create_app(_settings(**overrides))
    message = str(caught.value)
    assert text in message
    assert "\n" not in message
    assert "BEGIN" not in message


def test_without_a_signing_key_auth_says_where_to_get_one() -> None:
    with pytest.raises(SettingsError, match=r"MAYFLY_SIGNING_KEYS_PATH.*MAYFLY_SIGNING_KEY_FILE"):
        load(AuthSettings, mode="production", redis_url="redis://redis.test", issuer="https://auth.test")


def test_keys_have_one_source() -> None:
    with pytest.raises(SettingsError, match="two sources of keys"):
        _settings(signing_keys_path="/mayfly/prod/keys")


def test_without_a_key_in_the_settings_there_is_a_ring() -> None:
    local = load(AuthSettings, table_prefix="mine-")
    assert load_static_keys(local) is None
    assert local.effective_signing_keys_path == "/mayfly/mine-local/signing-keys"
    given = {"mode": "production", "redis_url": "redis://redis.test", "issuer": "https://auth.test"}
    path = "/mayfly/prod/keys"
    assert load(AuthSettings, **given, signing_keys_path=path).effective_signing_keys_path == path


@pytest.mark.parametrize("path", ["", "mayfly", "/", "/mayfly/", "/may fly", "//mayfly"])
def test_a_path_that_ssm_does_not_take_is_refused(path: str) -> None:
    with pytest.raises(SettingsError, match="MAYFLY_SIGNING_KEYS_PATH"):
        load(AuthSettings, signing_keys_path=path)


def test_the_signing_key_may_come_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "key.pem").write_text(EC)
    monkeypatch.setenv("MAYFLY_SIGNING_KEY_FILE", str(tmp_path / "key.pem"))
    settings = load(AuthSettings, signing_algorithm="ES256")
    assert keys_of(settings).active.kid == keys_of(_settings()).active.kid


def test_production_needs_its_own_redis_issuer_and_key() -> None:
    with pytest.raises(SettingsError, match="MAYFLY_REDIS_URL, MAYFLY_ISSUER must be set"):
        _settings(mode="production")


def test_all_that_production_needs_is_named_at_once() -> None:
    with pytest.raises(SettingsError, match=r"^MAYFLY_REDIS_URL, MAYFLY_ISSUER must be set.*MAYFLY_SIGNING_KEY_FILE"):
        load(AuthSettings, mode="production")
    with pytest.raises(SettingsError, match=r"^MAYFLY_ISSUER must be set.*MAYFLY_SIGNING_KEY_FILE"):
        load(AuthSettings, mode="production", redis_url="redis://redis.test")
    with pytest.raises(SettingsError, match=r"^there is no signing key"):
        load(AuthSettings, mode="production", redis_url="redis://redis.test", issuer="https://auth.test")


def test_no_secret_shows_in_the_settings() -> None:
    assert "PRIVATE" not in repr(_settings(other_keys=RSA))


@pytest.mark.parametrize(("hours", "seconds"), [(None, 900), (24, 86_400), (0.5, 1800), (0.01, 36)])
def test_the_expiry_in_hours_goes_over_the_one_in_seconds(hours: float | None, seconds: int) -> None:
    assert _settings(token_expiry_hours=hours).effective_access_ttl_seconds == seconds


@pytest.mark.parametrize("hours", [0, 25, -1])
def test_an_expiry_out_of_bounds_is_refused(hours: float) -> None:
    with pytest.raises(SettingsError, match="MAYFLY_TOKEN_EXPIRY_HOURS"):
        _settings(token_expiry_hours=hours)
