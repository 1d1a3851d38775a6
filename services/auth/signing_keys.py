"""The key that signs and those that are published, as settings give them; and how a key is made and named."""

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol, TypeAlias

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from services.auth.settings import AuthSettings
from shared.settings import SettingsError
from shared.tokens.key_source import KeySource
from shared.tokens.keyset import KeySet, UnusableKeySet
from shared.tokens.signature import Algorithm, SigningKey, UnusableKey, build_signing_key

_PEM = re.compile(r"-----BEGIN ([A-Z ]+)-----.+?-----END \1-----", re.DOTALL)
_RSA_BITS = 2048
_COORDINATE_BYTES = 32


Jwks: TypeAlias = Mapping[str, list[dict[str, str]]]


class SigningKeys(KeySource, Protocol):
    """The keys as this process has them now, out of memory; as a key source it verifies what they signed."""

    @property
    def active(self) -> SigningKey:
        """The key that signs now. Raises Unavailable: which one it is can't be known."""
        ...

    async def signer(self) -> SigningKey:
        """The same, if need be after a look at where the keys come from: this process may have slept."""
        ...

    @property
    def jwks(self) -> Jwks:
        """What is published. Raises Unavailable: nothing is known yet."""
        ...


@dataclass(frozen=True, slots=True)
class StaticKeys:
    """The keys of the settings. `active` signs. `jwks` publishes it and the others; `key_set` is that, parsed."""

    active: SigningKey
    jwks: Jwks
    key_set: KeySet

    async def signer(self) -> SigningKey:
        return self.active

    def current(self) -> KeySet:
        return self.key_set

    async def look_for(self, kid: str) -> KeySet:  # noqa: ARG002 - there is nowhere to look
        return self.key_set


def load_static_keys(settings: AuthSettings) -> StaticKeys | None:
    """The keys of the settings; a key's `kid` is its thumbprint (RFC 7638), so every instance names it alike.

    None: no key that signs is given, so auth makes its keys itself. Other keys are looked at in any case.

    Raises:
        SettingsError: a key is no key, or not for the algorithm. The text quotes nothing of it.
    """
    others = load_other_keys(settings)
    if settings.signing_key is None:
        return None
    try:
        active = build_named_key(settings.signing_key.get_secret_value(), settings.signing_algorithm)
    except UnusableKey as error:
        message = f"MAYFLY_SIGNING_KEY does not sign {settings.signing_algorithm}: {error}"
        raise SettingsError(message) from None
    published = {active.kid: dict(active.public_jwk)} | {other["kid"]: other for other in others}
    jwks = {"keys": list(published.values())}
    try:
        return StaticKeys(active, jwks, KeySet.parse(jwks))
    except UnusableKeySet as error:
        message = f"MAYFLY_OTHER_KEYS can't be published: {error}"
        raise SettingsError(message) from None


def build_named_key(pem: str, alg: Algorithm) -> SigningKey:
    """A key that signs, named by its thumbprint. Raises UnusableKey."""
    unnamed = build_signing_key(pem, alg, "unnamed")
    members = _named(unnamed.public_jwk)
    return replace(unnamed, kid=members["kid"], public_jwk=members)


def generate_pem(alg: Algorithm) -> str:
    """A new private key, PKCS #8 in PEM."""
    private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
    private = rsa.generate_private_key(65_537, _RSA_BITS) if alg == "RS256" else ec.generate_private_key(ec.SECP256R1())
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def load_other_keys(settings: AuthSettings) -> list[dict[str, str]]:
    """Public JWKs of the keys that only are published. Raises SettingsError."""
    text = settings.other_keys.get_secret_value() if settings.other_keys else ""
    blocks = list(_PEM.finditer(text))
    if _PEM.sub("", text).strip():
        message = "MAYFLY_OTHER_KEYS holds something that is no key in PEM"
        raise SettingsError(message)
    return [_public_jwk(block[0].encode(), is_private="PRIVATE" in block[1]) for block in blocks]


def _public_jwk(pem: bytes, *, is_private: bool) -> dict[str, str]:
    try:
        public = load_pem_private_key(pem, password=None).public_key() if is_private else load_pem_public_key(pem)
    except (ValueError, TypeError):
        message = "MAYFLY_OTHER_KEYS holds a key that can't be read; keys with a password can't be used"
        raise SettingsError(message) from None
    if isinstance(public, rsa.RSAPublicKey):
        numbers = public.public_numbers()
        return _named({"kty": "RSA", "alg": "RS256", "n": _number(numbers.n), "e": _number(numbers.e)})
    if isinstance(public, ec.EllipticCurvePublicKey) and isinstance(public.curve, ec.SECP256R1):
        point = public.public_numbers()
        x, y = (_number(coordinate, _COORDINATE_BYTES) for coordinate in (point.x, point.y))
        return _named({"kty": "EC", "alg": "ES256", "crv": "P-256", "x": x, "y": y})
    message = "MAYFLY_OTHER_KEYS holds a key that is neither RSA nor on P-256"
    raise SettingsError(message)


def _named(members: Mapping[str, str]) -> dict[str, str]:
    """The JWK with its RFC 7638 thumbprint as `kid`: SHA-256 over the required members, sorted."""
    required = ("crv", "kty", "x", "y") if members["kty"] == "EC" else ("e", "kty", "n")
    text = json.dumps({name: members[name] for name in required}, separators=(",", ":"))
    return {**members, "use": "sig", "kid": _base64url(hashlib.sha256(text.encode()).digest())}


def _number(value: int, length: int | None = None) -> str:
    return _base64url(value.to_bytes(length or (value.bit_length() + 7) // 8, "big"))


def _base64url(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")
