import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from shared.testing.tokens import new_signing_key
from shared.tokens.signature import (
    Algorithm,
    SigningKey,
    UnusableKey,
    _of_cryptography,
    build_signing_key,
    build_verification_key,
    sign,
    sign_bytes,
    verify,
)

KEYS = {"RS256": new_signing_key("RS256", "rsa"), "ES256": new_signing_key("ES256", "ec")}
both = pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)


def pem(key: PrivateKeyTypes, form: PrivateFormat = PrivateFormat.PKCS8) -> bytes:
    return key.private_bytes(Encoding.PEM, form, NoEncryption())


def public_members(key: SigningKey) -> dict[str, str]:
    return {name: key.public_jwk[name] for name in ("kty", "crv", "x", "y", "n", "e") if name in key.public_jwk}


@both
def test_what_was_signed_is_verified(key: SigningKey) -> None:
    public = build_verification_key(public_members(key), key.kid, key.alg)
    signature = sign_bytes(key, b"message")
    assert verify(public, b"message", signature)
    assert not verify(public, b"massage", signature)


@both
@given(junk=st.binary(max_size=600))
def test_any_other_signature_is_false_and_no_error(key: SigningKey, junk: bytes) -> None:
    public = build_verification_key(public_members(key), key.kid, key.alg)
    assert not verify(public, b"message", junk)


@both
def test_a_token_names_its_key_whatever_the_header_says(key: SigningKey) -> None:
    token = sign({"typ": "at+jwt", "alg": "none", "kid": "other"}, {"sub": "ada"}, key)
    header, payload, _ = (base64.urlsafe_b64decode(part + "==") for part in token.split("."))
    assert json.loads(header) == {"typ": "at+jwt", "alg": key.alg, "kid": key.kid}
    assert json.loads(payload) == {"sub": "ada"}


@both
def test_what_is_published_of_a_key_holds_no_secret(key: SigningKey) -> None:
    assert set(key.public_jwk) in (
        {"kty", "n", "e", "kid", "alg", "use"},
        {"kty", "crv", "x", "y", "kid", "alg", "use"},
    )
    assert key.public_jwk["use"] == "sig"
    assert "prepared" not in repr(key)


def test_a_payload_that_is_no_json_is_not_signed() -> None:
    with pytest.raises(ValueError, match="JSON"):
        sign({}, {"exp": float("inf")}, KEYS["RS256"])


def test_an_elliptic_signature_is_r_and_s_side_by_side() -> None:
    assert len(sign_bytes(KEYS["ES256"], b"message")) == 64


@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
def test_a_private_key_comes_in_either_pem(form: PrivateFormat) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    assert build_signing_key(pem(private, form).decode(), "ES256", "k").alg == "ES256"


@pytest.mark.parametrize(
    ("private", "alg", "why"),
    [
        (ec.generate_private_key(ec.SECP384R1()), "ES256", "P-256"),
        (ec.generate_private_key(ec.SECP256K1()), "ES256", "P-256"),
        (rsa.generate_private_key(65537, 2048), "ES256", "P-256"),
        (ec.generate_private_key(ec.SECP256R1()), "RS256", "RSA"),
        (ed25519.Ed25519PrivateKey.generate(), "RS256", "RSA"),
        (rsa.generate_private_key(65537, 1024), "RS256", "bits"),  # noqa: S505 - that is the point
    ],
    ids=["p384", "k1", "rsa-as-ec", "ec-as-rsa", "ed25519", "rsa-1024"],
)
def test_a_key_that_does_not_fit_signs_nothing(private: PrivateKeyTypes, alg: Algorithm, why: str) -> None:
    with pytest.raises(UnusableKey, match=why):
        build_signing_key(pem(private), alg, "k")


def test_what_is_no_private_key_signs_nothing() -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    locked = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
    for text in (b"", b"secret", locked):
        with pytest.raises(UnusableKey, match="PEM"):
            build_signing_key(text, "ES256", "k")


@pytest.mark.parametrize(
    "members", [{}, {"kty": "EC"}, {"kty": "oct", "k": "AAAA"}, {"kty": "RSA", "n": "!", "e": "AQAB"}]
)
def test_members_that_are_no_public_key_verify_nothing(members: dict[str, str]) -> None:
    for alg in ("RS256", "ES256"):
        with pytest.raises(UnusableKey):
            build_verification_key(members, "k", alg)


def test_a_point_beside_the_curve_is_no_key() -> None:
    members = public_members(KEYS["ES256"])
    with pytest.raises(UnusableKey):
        build_verification_key({**members, "x": members["y"]}, "k", "ES256")


def test_a_key_of_another_backend_is_refused() -> None:
    rsa_key = KEYS["RS256"].prepared
    assert _of_cryptography(rsa_key, "RS256") is rsa_key
    with pytest.raises(UnusableKey, match="backend"):
        _of_cryptography(rsa_key, "ES256")
