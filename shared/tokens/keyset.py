"""A published key set (RFC 7517): the keys that verify access tokens, and nothing else in it. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from shared.tokens.claims import InvalidToken
from shared.tokens.compact import decode_base64url
from shared.tokens.signature import Algorithm, SigningKey, UnusableKey, VerificationKey, build_verification_key

MAX_KEYS = 32
_PUBLIC_MEMBERS: Mapping[object, tuple[str, ...]] = {"RSA": ("n", "e"), "EC": ("crv", "x", "y")}
_PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_ALGORITHM_OF: Mapping[object, Algorithm] = {"RSA": "RS256", "EC": "ES256"}
_COORDINATE_BYTES = 32
_MAX_EXPONENT_BYTES = 4


class UnusableKeySet(ValueError):  # noqa: N818 - it states the fact
    """A key set that must not be trusted. The text says why and quotes no key."""


@dataclass(frozen=True, slots=True)
class KeySet:
    """The keys by `kid`. Two sets are equal when they hold the same keys, however they were written."""

    _keys: Mapping[str, tuple[VerificationKey, frozenset[tuple[str, str]]]]

    @classmethod
    def parse(cls, unverified_jwks: Mapping[str, object]) -> "KeySet":
        """The usable keys of a JWK set.

        A key that is not for us (another type, curve, algorithm or use, too short) is left out, as RFC 7517 §5 asks.

        Raises:
            UnusableKeySet: a secret or private key stands in it (whoever published that has lost it), a `kid` stands
                there twice, or no usable key is left.
        """
        unverified_keys = unverified_jwks.get("keys")
        if type(unverified_keys) is not list or len(unverified_keys) > MAX_KEYS:
            raise UnusableKeySet(f"`keys` is no list of at most {MAX_KEYS} keys")
        keys: dict[str, tuple[VerificationKey, frozenset[tuple[str, str]]]] = {}
        for unverified_jwk in unverified_keys:
            _refuse_secrets(unverified_jwk)
            parsed = _parse_key(unverified_jwk)
            if parsed is None:
                continue
            key, members = parsed
            if key.kid in keys:
                raise UnusableKeySet("a kid is given twice")
            keys[key.kid] = key, frozenset(members.items())
        if not keys:
            raise UnusableKeySet("no key in it verifies access tokens")
        return cls(keys)

    def find(self, kid: str) -> VerificationKey | None:
        """The key of that name. The caller compares its `alg` with the token's: the key decides, not the token."""
        found = self._keys.get(kid)
        return found and found[0]

    def kids(self) -> list[str]:
        """The names of its keys."""
        return sorted(self._keys)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, KeySet) and self._members() == other._members()

    def __hash__(self) -> int:
        return hash(frozenset(self._members().items()))

    def _members(self) -> dict[str, tuple[Algorithm, frozenset[tuple[str, str]]]]:
        return {kid: (key.alg, members) for kid, (key, members) in self._keys.items()}


def public_jwks(keys: Iterable[SigningKey]) -> dict[str, list[dict[str, str]]]:
    """The JWK set that publishes these keys: public members only."""
    return {"keys": [dict(key.public_jwk) for key in keys]}


def _refuse_secrets(unverified_jwk: object) -> None:
    if not isinstance(unverified_jwk, dict):
        raise UnusableKeySet("a key is no JSON object")
    if unverified_jwk.get("kty") == "oct" or not _PRIVATE_MEMBERS.isdisjoint(unverified_jwk):
        raise UnusableKeySet("a secret or private key is published in it")


def _parse_key(unverified_jwk: Mapping[str, object]) -> tuple[VerificationKey, dict[str, str]] | None:
    """The key and the members that make it, or None when it is not for verifying our tokens."""
    get = unverified_jwk.get
    kty, kid = get("kty"), get("kid")
    algorithm = _ALGORITHM_OF.get(kty) if type(kty) is str else None
    if algorithm is None or get("alg") != algorithm or get("use") != "sig" or type(kid) is not str or not kid:
        return None
    if get("key_ops", ["verify"]) != ["verify"]:
        return None
    members = {name: get(name) for name in _PUBLIC_MEMBERS[kty]}
    texts = {name: value for name, value in members.items() if type(value) is str}
    if len(texts) != len(members) or not _numbers_are_canonical(texts):
        return None
    try:
        return build_verification_key({"kty": str(kty), **texts}, kid, algorithm), texts
    except UnusableKey:
        return None


def _numbers_are_canonical(texts: Mapping[str, str]) -> bool:
    """Base64url in its only spelling; whole coordinates (RFC 7518 §6.2.1.2), no leading zero (§6.3.1)."""
    try:
        numbers = {name: decode_base64url(text.encode("ascii")) for name, text in texts.items() if name != "crv"}
    except (InvalidToken, UnicodeEncodeError):
        return False
    if "crv" in texts:
        return texts["crv"] == "P-256" and all(len(number) == _COORDINATE_BYTES for number in numbers.values())
    return all(number[0] for number in numbers.values()) and len(numbers["e"]) <= _MAX_EXPONENT_BYTES
