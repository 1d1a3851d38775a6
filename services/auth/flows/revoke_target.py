"""An administrator revokes by name: a token, a session, a user's, a client's or a key's tokens, or all."""

from dataclasses import dataclass

from services.auth.domain.api_keys import may_be_key_id
from services.auth.domain.audit import AuditEvent
from services.auth.flows.ending import Announced, Ending
from services.auth.flows.ending_api_keys import EndingApiKeys
from services.auth.stores.sessions import Sessions
from shared.clock import Clock
from shared.tokens.claims import Caller
from shared.tokens.revocation import Target


@dataclass(frozen=True, slots=True)
class RevokeTarget:
    """What is named need not exist: a token that was issued a moment ago is known to nobody but its holder.

    Raises:
        ValidationFailed: `not_before` is no second up to which this can be revoked.
        Unavailable: nothing was changed. NotAnnounced: revoked, but not every verifier knows yet.
    """

    sessions: Sessions
    ending: Ending
    ending_api_keys: EndingApiKeys
    now: Clock

    async def __call__(self, caller: Caller, target: Target, not_before: int | None = None) -> Announced:
        now = self.now()
        why = AuditEvent.by(caller, "revocation", subject=target.value, details={"kind": target.kind})
        revocation = self.ending.guard.of_target(target, now, not_before)
        if target.kind == "sid":
            if may_be_key_id(target.value):  # it stands in its tokens in the place of a session
                key = await self.ending_api_keys.api_keys.get(target.value)
                if key is not None:
                    return await self.ending_api_keys.end(key, why, now)
            elif (session := await self.sessions.get(target.value)) is not None:
                return await self.ending.end(session, why, now)
        revoking = self.ending.revoke(revocation, why, now)
        if target.kind == "user":
            return await self.ending_api_keys.end_all_after(revoking, caller, target.value, now, not_before)
        return await revoking
