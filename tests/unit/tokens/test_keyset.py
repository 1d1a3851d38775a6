import base64
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from shared.testing.tokens import new_signing_key
from shared.tokens.keyset import MAX_KEYS, KeySet, UnusableKeySet, public_jwks
from shared.tokens.signature import SigningKey

RSA = new_signing_key("RS256", "rsa")
EC = new_signing_key("ES256", "ec")


def b64(number: int, length: int | None = None) -> str:
    value = number.to_bytes(length or (number.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def jwk_of(key: SigningKey, **overrides: object) -> dict[str, Any]:
    return {name: value for name, value in {**key.public_jwk, **overrides}.items() if value is not None}


def p384_jwk() -> dict[str, Any]:
    numbers = ec.generate_private_key(ec.SECP384R1()).public_key().public_numbers()
    return jwk_of(EC, crv="P-384", x=b64(numbers.x, 48), y=b64(numbers.y, 48))


def rsa_jwk(bits: int) -> dict[str, Any]:
    return jwk_of(RSA, n=b64((1 << bits) - 1))


def test_a_published_set_is_read_again() -> None:
    key_set = KeySet.parse(public_jwks([RSA, EC]))
    assert key_set.kids() == ["ec", "rsa"]
    rsa_key, ec_key = key_set.find("rsa"), key_set.find("ec")
    assert rsa_key is not None
    assert ec_key is not None
    assert (rsa_key.alg, ec_key.alg) == ("RS256", "ES256")
    assert key_set.find("other") is None


def test_sets_of_the_same_keys_are_equal() -> None:
    one, other = KeySet.parse(public_jwks([RSA, EC])), KeySet.parse(public_jwks([EC, RSA]))
    assert one == other
    assert hash(one) == hash(other)
    assert one != KeySet.parse(public_jwks([RSA]))
    assert one != "a set"


def test_a_key_with_the_same_name_is_another_key() -> None:
    assert KeySet.parse(public_jwks([RSA])) != KeySet.parse(public_jwks([new_signing_key("RS256", "rsa")]))


@pytest.mark.parametrize(
    "unusable",
    [
        jwk_of(EC, use="enc"),
        jwk_of(EC, use=None),
        jwk_of(EC, alg=None),
        jwk_of(EC, alg="ES384"),
        jwk_of(EC, alg="RS256"),
        jwk_of(RSA, alg="PS256"),
        jwk_of(EC, kid=None),
        jwk_of(EC, kid=""),
        jwk_of(EC, kid=7),
        jwk_of(EC, key_ops=["sign"]),
        jwk_of(EC, key_ops=["verify", "sign"]),
        jwk_of(EC, kty="OKP", crv="Ed25519"),
        jwk_of(EC, kty="OKP", alg=None),
        jwk_of(EC, kty=["EC"]),
        jwk_of(EC, kty=None),
        jwk_of(EC, crv="secp256k1"),
        jwk_of(EC, x=EC.public_jwk["y"]),
        jwk_of(EC, y=None),
        jwk_of(EC, x=EC.public_jwk["x"] + "="),
        jwk_of(EC, x="AA" + EC.public_jwk["x"]),
        jwk_of(EC, x="é"),
        jwk_of(EC, x=7),
        jwk_of(RSA, n=RSA.public_jwk["n"] + "\n"),
        jwk_of(RSA, n=""),
        jwk_of(RSA, n=b64(int.from_bytes(base64.urlsafe_b64decode(RSA.public_jwk["n"] + "==")), 260)),
        jwk_of(RSA, e=None),
        jwk_of(RSA, e="AQ"),
        jwk_of(RSA, e="AAAAAAAB"),
        p384_jwk(),
        rsa_jwk(2047),
        rsa_jwk(4097),
    ],
)
def test_a_key_that_is_not_for_us_is_left_out(unusable: dict[str, Any]) -> None:
    good = new_signing_key("ES256", "good")
    assert KeySet.parse({"keys": [unusable, dict(good.public_jwk)]}).kids() == ["good"]
    with pytest.raises(UnusableKeySet, match="no key"):
        KeySet.parse({"keys": [unusable]})


@pytest.mark.parametrize("bits", [2048, 4096])
def test_a_key_of_these_sizes_is_taken(bits: int) -> None:
    assert KeySet.parse({"keys": [rsa_jwk(bits)]}).kids() == ["rsa"]


def test_a_key_that_may_verify_says_so() -> None:
    assert KeySet.parse({"keys": [jwk_of(EC, key_ops=["verify"])]}).kids() == ["ec"]


@pytest.mark.parametrize("member", ["d", "p", "q", "dp", "dq", "qi", "oth", "k"])
def test_a_set_that_publishes_a_private_key_is_refused(member: str) -> None:
    with pytest.raises(UnusableKeySet, match="secret"):
        KeySet.parse({"keys": [jwk_of(RSA), jwk_of(EC, **{member: "AAAA"})]})


def test_a_set_with_a_symmetric_key_is_refused() -> None:
    with pytest.raises(UnusableKeySet, match="secret"):
        KeySet.parse({"keys": [jwk_of(RSA), {"kty": "oct", "kid": "s", "alg": "HS256"}]})


def test_a_set_that_names_two_keys_alike_is_refused() -> None:
    with pytest.raises(UnusableKeySet, match="twice"):
        KeySet.parse({"keys": [jwk_of(RSA), jwk_of(EC, kid="rsa")]})


@pytest.mark.parametrize(
    "jwks", [{}, {"keys": None}, {"keys": {}}, {"keys": "ec"}, {"keys": []}, {"keys": ["ec"]}, {"keys": [None]}]
)
def test_what_is_no_key_set_is_refused(jwks: dict[str, Any]) -> None:
    with pytest.raises(UnusableKeySet):
        KeySet.parse(jwks)


def test_a_set_is_no_longer_than_anyone_needs() -> None:
    with pytest.raises(UnusableKeySet, match="at most"):
        KeySet.parse({"keys": [jwk_of(EC, kid=str(number)) for number in range(MAX_KEYS + 1)]})
