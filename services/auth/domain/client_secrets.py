"""How the secrets of a client come and go."""

from dataclasses import replace

from services.auth.domain.client_problems import ClientIsPublic, ClientSecretNotFound, TooManyClientSecrets
from services.auth.domain.clients import Client, ClientSecret
from shared.ids import digest, new_id, new_secret

MOST_SECRETS = 5
STATED = "stated_"
"""How the ids of secrets begin that the settings state."""

_PREFIX = "mfs_"  # scanners find secrets by it that were published


def new_client_secret(now: float) -> tuple[str, ClientSecret]:
    """A secret, and what is kept of it."""
    secret = _PREFIX + new_secret()
    return secret, ClientSecret(new_id("sec"), digest(secret), int(now))


def stated_secret(secret: str) -> ClientSecret:
    """A secret that the settings state; its id says so, and tells two of them apart."""
    known_by = digest(secret)
    return ClientSecret(STATED + known_by[:8], known_by, created_at=0)


def with_secret(client: Client, secret: ClientSecret, overlap_seconds: int, now: float) -> Client:
    """The client with a new secret; those that it had are good for this long yet, or not at all.

    Raises:
        ClientIsPublic: it has no secrets. TooManyClientSecrets: so many are good at once.
    """
    if client.is_public:
        raise ClientIsPublic
    until = int(now) + overlap_seconds
    kept = [_until(known, until) for known in client.secrets if overlap_seconds and known.is_live(now)]
    if len(kept) >= MOST_SECRETS:
        raise TooManyClientSecrets(MOST_SECRETS)
    return replace(client, secrets=(*kept, secret))


def without_secret(client: Client, secret_id: str) -> Client:
    """Raises ClientSecretNotFound."""
    kept = tuple(secret for secret in client.secrets if secret.secret_id != secret_id)
    if len(kept) == len(client.secrets):
        raise ClientSecretNotFound
    return replace(client, secrets=kept)


def _until(secret: ClientSecret, until: int) -> ClientSecret:
    return replace(secret, expires_at=until if secret.expires_at is None else min(secret.expires_at, until))
