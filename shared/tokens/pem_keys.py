"""Keys as people keep them, in PEM: how one is made, and how each gets the same name wherever it is read."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import replace

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from shared.tokens.compact import encode_base64url
from shared.tokens.signature import Algorithm, SigningKey, UnusableKey, build_signing_key

_PEM = re.compile(r"-----BEGIN ([A-Z ]+)-----.+?-----END \1-----", re.DOTALL)
_RSA_BITS = 2048
_COORDINATE_BYTES = 32


def generate_pem(alg: Algorithm) -> str:
    """A new private key, PKCS #8 in PEM."""
    private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
    private = rsa.generate_private_key(65_537, _RSA_BITS) if alg == "RS256" else ec.generate_private_key(ec.SECP256R1())
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def build_named_key(pem: str, alg: Algorithm) -> SigningKey:
    """A key that signs, named by its thumbprint. Raises UnusableKey."""
    unnamed = build_signing_key(pem, alg, "unnamed")
    members = _named(unnamed.public_jwk)
    return replace(unnamed, kid=members["kid"], public_jwk=members)


def public_jwks_of(pems: str) -> list[dict[str, str]]:
    """The public JWKs of keys in PEM, public or private, one after the other; each named by its thumbprint.

    Raises:
        UnusableKey: the text says what is held there besides, and quotes nothing of it.
    """
    blocks = list(_PEM.finditer(pems))
    if _PEM.sub("", pems).strip():
        raise UnusableKey("holds something that is no key in PEM")
    return [_public_jwk(block[0].encode(), is_private="PRIVATE" in block[1]) for block in blocks]


def _public_jwk(pem: bytes, *, is_private: bool) -> dict[str, str]:
    try:
        public = load_pem_private_key(pem, password=None).public_key() if is_private else load_pem_public_key(pem)
    except (ValueError, TypeError):
        raise UnusableKey("holds a key that can't be read; keys with a password can't be used") from None
    if isinstance(public, rsa.RSAPublicKey):
        numbers = public.public_numbers()
        return _named({"kty": "RSA", "alg": "RS256", "n": _number(numbers.n), "e": _number(numbers.e)})
    if isinstance(public, ec.EllipticCurvePublicKey) and isinstance(public.curve, ec.SECP256R1):
        point = public.public_numbers()
        x, y = (_number(coordinate, _COORDINATE_BYTES) for coordinate in (point.x, point.y))
        return _named({"kty": "EC", "alg": "ES256", "crv": "P-256", "x": x, "y": y})
    raise UnusableKey("holds a key that is neither RSA nor on P-256")


def _named(members: Mapping[str, str]) -> dict[str, str]:
    """The JWK with its RFC 7638 thumbprint as `kid`: SHA-256 over the required members, sorted."""
    required = ("crv", "kty", "x", "y") if members["kty"] == "EC" else ("e", "kty", "n")
    text = json.dumps({name: members[name] for name in required}, separators=(",", ":"))
    return {**members, "use": "sig", "kid": encode_base64url(hashlib.sha256(text.encode()).digest()).decode()}


def _number(value: int, length: int | None = None) -> str:
    return encode_base64url(value.to_bytes(length or (value.bit_length() + 7) // 8, "big")).decode()
