"""Header → key → signature → claims → revocation → caller. Whatever is wrong is `InvalidToken`, never another error."""

from collections import OrderedDict
from collections.abc import Awaitable
from hashlib import blake2b
from typing import Protocol

from prometheus_client import Counter

from shared import clock
from shared.errors import Unavailable
from shared.tokens.claims import Caller, Claims, InvalidToken, VerificationPolicy, check_claims
from shared.tokens.compact import (
    ACCESS_TOKEN_TYPE,
    check_form,
    decode_segment,
    parse_header,
    parse_payload,
    split_token,
    token_bytes,
)
from shared.tokens.key_source import KeySource
from shared.tokens.keyset import KeySet
from shared.tokens.signature import VerificationKey
from shared.tokens.signature import verify as verify_signature

__all__ = ["Caller", "Revocations", "Verifier"]

VERIFICATIONS = Counter(
    "mayfly_token_verifications_total", "Access tokens that were looked at, by outcome.", ["outcome"]
)

_MAX_HEADERS = 64
_DIGEST_BYTES = 32


class Revocations(Protocol):
    """Knows whether a token was revoked."""

    def is_revoked(self, claims: Claims) -> bool | Awaitable[bool]:
        """Told at once out of memory, or by something to wait for: most requests need no coroutine for it."""
        ...


class Verifier:
    """Verifies access tokens. One for each process; it does no I/O while keys and revocations are fresh.

    Remembers the last `cache_size` good tokens by a hash (BLAKE2b, 256 bit) for as long as the key set is the same.
    Expiry and revocation are checked each time; a refusal is never remembered. Losing it costs nothing but time.
    """

    def __init__(
        self,
        key_source: KeySource,
        revocations: Revocations,
        policy: VerificationPolicy,
        *,
        now: clock.Clock = clock.now,
        cache_size: int = 8192,
    ) -> None:
        self._key_source = key_source
        self._revocations = revocations
        self._policy = policy
        self._now = now
        self._cache_size = cache_size
        self._key_set: KeySet | None = None
        self._key_by_header: dict[bytes, VerificationKey] = {}
        self._callers: OrderedDict[bytes, Caller] = OrderedDict()
        self._accepted = VERIFICATIONS.labels("accepted")

    async def verify(self, raw_token: str) -> Caller:
        """Whose token this is.

        Raises:
            InvalidToken: it proves nothing; the reason is for logs and the challenge. What has not even the form of a
                token is told so without keys, too.
            Unavailable: whether it is good can't be known now (keys or revocations); the token may be good.
        """
        try:
            token = token_bytes(raw_token)
            self._use(self._keys_in_force(token))
            digest = blake2b(token, digest_size=_DIGEST_BYTES).digest()
            caller = self._recall(digest)
            if caller is None:
                caller = await self._check_new(token, digest)
            elif (revoked := self._revocations.is_revoked(caller.claims)) is not False:
                await _refuse_if(revoked)
        except InvalidToken as refusal:
            VERIFICATIONS.labels(refusal.reason).inc()
            raise
        except Unavailable as error:
            VERIFICATIONS.labels(error.code).inc()
            raise
        self._accepted.inc()
        return caller

    def _keys_in_force(self, token: bytes) -> KeySet:
        try:
            return self._key_source.current()
        except Unavailable:
            check_form(token)  # without keys we know nothing of a token, but we know what is none
            raise

    def _recall(self, digest: bytes) -> Caller | None:
        """The caller of a token that was good before and has not expired; whether it was revoked is not asked here."""
        caller = self._callers.get(digest)
        if caller is not None:
            if self._now() >= caller.claims.exp:
                del self._callers[digest]
                raise InvalidToken("expired")
            self._callers.move_to_end(digest)
        return caller

    async def _check_new(self, token: bytes, digest: bytes) -> Caller:
        signing_input, header, payload, signature = split_token(token)
        key = self._key_by_header.get(header) or await self._find_key(header)
        if not verify_signature(key, signing_input, decode_segment(signature)):
            raise InvalidToken("bad-signature")
        self._remember_header(header, key)
        caller = Caller(check_claims(parse_payload(payload), self._policy, self._now(), kid=key.kid))
        key_set = self._key_set
        if (revoked := self._revocations.is_revoked(caller.claims)) is not False:
            await _refuse_if(revoked)
        if key_set is self._key_set:
            self._remember(digest, caller)
        return caller

    def _use(self, key_set: KeySet) -> None:
        if key_set is not self._key_set:
            self._key_set = key_set
            self._key_by_header = {}
            self._callers.clear()

    async def _find_key(self, header: bytes) -> VerificationKey:
        """The key that an unknown header names."""
        kid, algorithm = parse_header(header, ACCESS_TOKEN_TYPE)
        key = self._key_source.current().find(kid)
        if key is None:
            key_set = await self._key_source.look_for(kid)
            self._use(key_set)
            key = key_set.find(kid)
        if key is None:
            raise InvalidToken("unknown-key")
        if key.alg != algorithm:
            raise InvalidToken("unsupported-algorithm")
        return key

    def _remember_header(self, header: bytes, key: VerificationKey) -> None:
        """Next time one lookup settles it. Strangers add nothing: only what a good signature stood under is kept."""
        if header not in self._key_by_header and len(self._key_by_header) < _MAX_HEADERS:
            self._key_by_header[header] = key

    def _remember(self, digest: bytes, caller: Caller) -> None:
        self._callers[digest] = caller
        if len(self._callers) > self._cache_size:
            self._callers.popitem(last=False)


async def _refuse_if(revoked: bool | Awaitable[bool]) -> None:
    if revoked is True or (revoked is not False and await revoked):
        raise InvalidToken("revoked")
