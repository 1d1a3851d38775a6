"""A step that three flows share: giving out an access token."""

import asyncio
from dataclasses import dataclass

from services.auth.domain.access_tokens import Grant, access_claims, issue_second
from services.auth.domain.sessions import Lifetimes
from services.auth.domain.status_lists import Slot, status_claim
from services.auth.signing_keys import SigningKeys
from services.auth.stores.token_slots import TokenSlots
from shared.clock import Clock
from shared.ids import new_id
from shared.tokens.compact import ACCESS_TOKEN_TYPE
from shared.tokens.revocation import EVERYTHING, RevokedSet, Target
from shared.tokens.signature import SigningKey, sign

_WAIT_MARGIN_SECONDS = 0.01  # a timer and a clock are two things


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """`expires_at` in Unix seconds; `expires_in` seconds from the `now` of its issue."""

    token: str
    expires_at: int
    expires_in: int
    scope: frozenset[str]

    def __repr__(self) -> str:
        return f"IssuedToken(expires_at={self.expires_at})"


@dataclass(frozen=True, slots=True)
class Reserved:
    """What is settled of a token before the rest of it: its `jti`, its place in a status list, the key that signs it.

    A token of a session is issued with it only after `token_id` was written into the session's row, or when it is
    written before the token is handed out: a session that ends takes the tokens with it that its row names.
    """

    slot: Slot
    key: SigningKey

    @property
    def token_id(self) -> str:
        return self.slot.token_id


@dataclass(frozen=True, slots=True)
class AccessTokens:
    """Signs. `revoked` is what this process has heard of revocations, `now` the clock of all auths."""

    keys: SigningKeys
    slots: TokenSlots
    issuer: str
    audience: str
    lifetimes: Lifetimes
    revoked: RevokedSet
    now: Clock

    def revoked_up_to(self, *targets: Target) -> int:
        """The last second of which tokens about these are known to be revoked; -1: there is none.

        Ask, and wait for the `second_after`, *before* reading the rows that a token is made of: then a revocation that
        comes while a row is on its way ends what is made of that row.
        """
        return max(map(self.revoked.not_before, (EVERYTHING, *targets)))

    async def second_after(self, revoked_up_to: int, now: float) -> int:
        """The `iat` of a token that is issued in answer to a request of `now`, once that second has come.

        Raises:
            JustRevoked: so long nobody should have to wait.
        """
        second = issue_second(now, revoked_up_to)
        if (wait := second - self.now()) > 0:
            await asyncio.sleep(wait + _WAIT_MARGIN_SECONDS)
        return second

    async def reserve(self, client_id: str, issued_at: int, *, subject: str | None = None) -> Reserved:
        """A place in a status list for a token with this `iat`. It waits for DynamoDB only now and then.

        `subject` is the token's `sub` if it has no session, else None.

        Raises:
            Unavailable: a place or the key that signs has to be asked for, and DynamoDB or SSM does not answer.
        """
        key = await self.keys.signer()
        return Reserved(await self.slots.take(client_id, key.kid, subject, issued_at), key)

    def issue(
        self,
        grant: Grant,
        *,
        issued_at: int,
        now: float,
        reserved: Reserved | None = None,
        at_latest: int | None = None,
    ) -> IssuedToken:
        """A signed token with this `iat`; it lives as long as one of this second or of that, whichever ends first.

        Without a reservation it has no `status`: whoever wants to know of its revocation follows the feed, or asks.
        `at_latest`: it expires then, if not before.
        """
        expires_at = min(issued_at, int(now)) + self.lifetimes.access_seconds
        if at_latest is not None:
            expires_at = min(expires_at, at_latest)
        token_id = reserved.token_id if reserved else new_id("tok")
        claims = access_claims(
            grant,
            token_id=token_id,
            issuer=self.issuer,
            audience=self.audience,
            issued_at=issued_at,
            expires_at=expires_at,
        )
        if reserved is not None:
            claims["status"] = status_claim(reserved.slot, self.issuer)
        token = sign({"typ": ACCESS_TOKEN_TYPE}, claims, reserved.key if reserved else self.keys.active)
        return IssuedToken(token, expires_at, expires_at - int(now), grant.scope)
