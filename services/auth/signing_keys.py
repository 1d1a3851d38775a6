"""The key that signs and those that are published, as settings give them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from services.auth.settings import AuthSettings
from shared.settings import SettingsError
from shared.tokens.key_source import KeySource
from shared.tokens.keyset import KeySet, UnusableKeySet
from shared.tokens.pem_keys import build_named_key, public_jwks_of
from shared.tokens.signature import SigningKey, UnusableKey

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


def load_other_keys(settings: AuthSettings) -> list[dict[str, str]]:
    """Public JWKs of the keys that only are published. Raises SettingsError."""
    try:
        return public_jwks_of(settings.other_keys.get_secret_value() if settings.other_keys else "")
    except UnusableKey as error:
        message = f"MAYFLY_OTHER_KEYS {error}"
        raise SettingsError(message) from None
