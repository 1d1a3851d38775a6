"""A user makes an API key for a program."""

from dataclasses import dataclass

from services.auth.domain.api_key_problems import ScopeTooWide, TooManyApiKeys
from services.auth.domain.api_keys import MOST_KEYS, ApiKey, PresentedKey, new_api_key
from services.auth.domain.audit import AuditEvent, Details
from services.auth.domain.own_login import must_be_own_login
from services.auth.stores.api_keys import ApiKeys
from services.auth.stores.audit_trail import AuditTrail
from shared.clock import Clock
from shared.tokens.claims import Caller, InvalidToken
from shared.tokens.revocation import RevokedSet, targets_of
from shared.tokens.revocation_status import DirectReader


@dataclass(frozen=True, slots=True)
class CreatedApiKey:
    """`presented` is the only copy of the key."""

    key: ApiKey
    presented: PresentedKey


@dataclass(frozen=True, slots=True)
class CreateApiKey:
    """A key outlives its maker's token, so neither a client that acts for a user nor a key can make one.

    Raises:
        LoginNeeded: one of these asks. ScopeTooWide: more than the caller has. TooManyApiKeys.
        InvalidToken: the caller's token was revoked meanwhile, and there is no key.
        Unavailable: DynamoDB does not answer.
    """

    api_keys: ApiKeys
    revocations: DirectReader
    audit: AuditTrail
    now: Clock

    async def __call__(
        self, caller: Caller, name: str, scope: frozenset[str] | None, lifetime_seconds: int
    ) -> CreatedApiKey:
        """Without a scope the key has the caller's."""
        username, now = must_be_own_login(caller), self.now()
        if scope is not None and not scope <= caller.scope:
            raise ScopeTooWide(caller.scope)
        if len(await self.api_keys.of_user(caller.user_id, now)) >= MOST_KEYS:
            raise TooManyApiKeys(MOST_KEYS)
        granted = caller.scope if scope is None else scope
        expires_at = int(now) + lifetime_seconds
        key, presented = new_api_key(caller.user_id, username, name=name, scope=granted, expires_at=expires_at, now=now)
        await self.api_keys.save(key)
        if await self._is_revoked(caller):
            await self.api_keys.forget(key)
            raise InvalidToken("revoked")
        details: Details = {"key_id": key.key_id, "scope": sorted(granted), "expires_at": key.expires_at}
        self.audit.record(AuditEvent.by(caller, "api-key-creation", details=details), now)
        return CreatedApiKey(key, presented)

    async def _is_revoked(self, caller: Caller) -> bool:
        """Whether the caller's token is, by what is durable, asked once the key can be found.

        Who ends a user's keys makes the revocation durable and looks for the keys then. So either they find this key,
        or it is found here that nobody may have it; a stolen token can't leave a key behind that outlives its end.
        """
        revoked = RevokedSet()
        for revocation in await self.revocations.read(targets_of(caller.claims)):
            revoked.add(revocation)
        return revoked.is_revoked(caller.claims)
