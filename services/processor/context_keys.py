"""By whose keys the contexts of jobs are signed and believed, as settings say it."""

from services.processor.domain.contexts import ContextIssuer, ContextTrust
from services.processor.settings import ProcessorSettings
from shared.settings import SettingsError
from shared.tokens.keyset import KeySet, UnusableKeySet
from shared.tokens.pem_keys import build_named_key, public_jwks_of
from shared.tokens.signature import Algorithm, SigningKey, UnusableKey

ALGORITHM: Algorithm = "ES256"
_MISSING = (
    "there is no key for the contexts of jobs: set MAYFLY_CONTEXT_KEY_FILE, or MAYFLY_CONTEXT_KEY, or "
    "MAYFLY_SSM_PREFIX, below which the parameter `context_key` is (in local mode the bootstrap makes it); a worker "
    "can do with the public part, in MAYFLY_CONTEXT_OTHER_KEYS"
)


def load_context_issuer(settings: ProcessorSettings) -> ContextIssuer:
    """Who signs. A key's name is its thumbprint, so every instance names it alike.

    Raises:
        SettingsError: there is no key, or it is none for this. The text quotes nothing of it.
    """
    return ContextIssuer(_load_key(settings), settings.audience, settings.job_deadline_seconds)


def load_context_trust(settings: ProcessorSettings) -> ContextTrust:
    """Who is believed: the key that signs, where it is given, and the others.

    Raises:
        SettingsError: there is no key, or one is none for this. The text quotes nothing of it.
    """
    others = _load_other_keys(settings)
    own = [dict(_load_key(settings).public_jwk)] if settings.context_key or not others else []
    try:
        keys = KeySet.parse({"keys": list({one["kid"]: one for one in own + others}.values())})
    except UnusableKeySet as error:
        message = f"MAYFLY_CONTEXT_OTHER_KEYS can't be used: {error}"
        raise SettingsError(message) from None
    return ContextTrust(keys, settings.audience)


def _load_key(settings: ProcessorSettings) -> SigningKey:
    if settings.context_key is None:
        raise SettingsError(_MISSING)
    try:
        return build_named_key(settings.context_key.get_secret_value(), ALGORITHM)
    except UnusableKey as error:
        message = f"MAYFLY_CONTEXT_KEY does not sign {ALGORITHM}: {error}"
        raise SettingsError(message) from None


def _load_other_keys(settings: ProcessorSettings) -> list[dict[str, str]]:
    try:
        others = public_jwks_of(settings.context_other_keys.get_secret_value() if settings.context_other_keys else "")
    except UnusableKey as error:
        message = f"MAYFLY_CONTEXT_OTHER_KEYS {error}"
        raise SettingsError(message) from None
    if any(one["alg"] != ALGORITHM for one in others):
        message = "MAYFLY_CONTEXT_OTHER_KEYS holds a key that is not on P-256"
        raise SettingsError(message)
    return others
