"""Keys in PEM: the same key has the same name, and what is no key is told without being quoted."""

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from shared.tokens.keyset import KeySet
from shared.tokens.pem_keys import _named, build_named_key, generate_pem, public_jwks_of
from shared.tokens.signature import Algorithm, UnusableKey

# RFC 7638 §3.1
RFC_MODULUS = (
    "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhM"
    "stn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5h"
    "ajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
)


def public(pem: str) -> str:
    key = load_pem_private_key(pem.encode(), None).public_key()
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def test_a_kid_is_the_thumbprint_of_the_rfc() -> None:
    named = _named({"kty": "RSA", "alg": "RS256", "n": RFC_MODULUS, "e": "AQAB"})
    assert named["kid"] == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"


@pytest.mark.parametrize("alg", ["RS256", "ES256"])
def test_a_key_has_one_name_and_one_public_part_wherever_it_is_read(alg: Algorithm) -> None:
    pem = generate_pem(alg)
    signing = build_named_key(pem, alg)
    assert public_jwks_of(f"{pem}\n{public(pem)}") == [dict(signing.public_jwk)] * 2
    assert KeySet.parse({"keys": [dict(signing.public_jwk)]}).kids() == [signing.kid]


@pytest.mark.parametrize(
    ("pems", "told"),
    [
        ("s3cr3t", "no key in PEM"),
        (generate_pem("ES256") + "s3cr3t", "no key in PEM"),
        ("-----BEGIN PRIVATE KEY-----\ns3cr3t\n-----END PRIVATE KEY-----", "can't be read"),
    ],
)
def test_what_is_no_key_is_told_and_not_quoted(pems: str, told: str) -> None:
    with pytest.raises(UnusableKey, match=told) as refused:
        public_jwks_of(pems)
    assert "s3cr3t" not in str(refused.value)
