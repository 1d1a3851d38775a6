"""Signatures over bytes, by keys that are prepared once. The only module that imports python-jose.

python-jose is used for nothing but `jwk.construct`, `Key.sign` and `Key.verify`: its own reading of tokens accepts what
ours refuses. What it would let through in a key (another curve, a short modulus, a secret) is refused here first.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, cast

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from jose import jwk
from jose.backends.cryptography_backend import CryptographyECKey, CryptographyRSAKey

from shared.tokens.compact import encode_base64url

Algorithm: TypeAlias = Literal["RS256", "ES256"]

MIN_RSA_BITS = 2048
MAX_RSA_BITS = 4096  # a verification gets slower with the square of it
_ENCODER = json.JSONEncoder(separators=(",", ":"), allow_nan=False)  # `json.dumps` would make one for each segment
_KEY_CLASS = {"RS256": CryptographyRSAKey, "ES256": CryptographyECKey}


class UnusableKey(ValueError):  # noqa: N818 - it states the fact
    """A key that must not sign or verify tokens. The text says why and quotes nothing of it."""


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """A public key for one algorithm."""

    kid: str
    alg: Algorithm
    prepared: Any


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key for one algorithm; `public_jwk` is what to publish of it (RFC 7517)."""

    kid: str
    alg: Algorithm
    public_jwk: Mapping[str, str]
    prepared: Any

    def __repr__(self) -> str:
        return f"SigningKey(kid={self.kid!r}, alg={self.alg!r})"


def build_verification_key(jwk_members: Mapping[str, str], kid: str, alg: Algorithm) -> VerificationKey:
    """Prepare a public key out of its JWK's public members (`kty` `n` `e`, or `kty` `crv` `x` `y`).

    Raises:
        UnusableKey: too short or too long, another curve, a point that is not on it, no public key at all.
    """
    try:
        prepared = jwk.construct(dict(jwk_members), alg)
    except Exception as error:  # python-jose and cryptography raise many kinds here; each means the same
        raise UnusableKey("not a key of this algorithm") from error
    public: Any = prepared.prepared_key
    _check_public(public, alg)
    return VerificationKey(kid, alg, _of_cryptography(prepared, alg))


def build_signing_key(pem: str | bytes, alg: Algorithm, kid: str) -> SigningKey:
    """Prepare a private key in PEM (PKCS #8 or traditional, not encrypted).

    Raises:
        UnusableKey: it is no private key, or not fit for `alg`.
    """
    try:
        private = load_pem_private_key(pem.encode() if isinstance(pem, str) else pem, password=None)
    except (ValueError, TypeError) as error:
        raise UnusableKey("not a private key in PEM without a password") from error
    public = private.public_key()
    _check_public(public, alg)
    prepared = _of_cryptography(jwk.construct(private, alg), alg)
    members = _KEY_CLASS[alg](public, alg).to_dict()
    texts = {name: value.decode() if isinstance(value, bytes) else str(value) for name, value in members.items()}
    return SigningKey(kid, alg, {**texts, "kid": kid, "alg": alg, "use": "sig"}, prepared)


def sign(header: Mapping[str, object], payload: Mapping[str, object], key: SigningKey) -> str:
    """A signed token in compact form. `alg` and `kid` come from the key, whatever `header` says."""
    segments = (_segment({**header, "alg": key.alg, "kid": key.kid}), _segment(payload))
    signing_input = b".".join(segments)
    return b".".join((signing_input, encode_base64url(sign_bytes(key, signing_input)))).decode()


def sign_bytes(key: SigningKey, signing_input: bytes) -> bytes:
    """The signature as JWS has it (RFC 7518 §3.3, §3.4: r and s side by side)."""
    return cast("bytes", key.prepared.sign(signing_input))


def verify(key: VerificationKey, signing_input: bytes, signature: bytes) -> bool:
    """Whether the holder of the private key signed exactly these bytes."""
    return cast("bool", key.prepared.verify(signing_input, signature))


def _segment(members: Mapping[str, object]) -> bytes:
    return encode_base64url(_ENCODER.encode(members).encode())


def _check_public(public: object, alg: Algorithm) -> None:
    if alg == "RS256":
        if not isinstance(public, rsa.RSAPublicKey):
            raise UnusableKey("RS256 needs an RSA key")
        if not MIN_RSA_BITS <= public.key_size <= MAX_RSA_BITS:
            raise UnusableKey(f"an RSA key has {MIN_RSA_BITS} to {MAX_RSA_BITS} bits")
    elif not isinstance(public, ec.EllipticCurvePublicKey) or not isinstance(public.curve, ec.SECP256R1):
        raise UnusableKey("ES256 needs a key on P-256")


def _of_cryptography(prepared: Any, alg: Algorithm) -> Any:  # noqa: ANN401 - python-jose has no types
    """python-jose falls back to slow backends in pure Python; ours must be cryptography's."""
    if type(prepared) is not _KEY_CLASS[alg]:
        raise UnusableKey("python-jose does not use the cryptography backend")
    return prepared
