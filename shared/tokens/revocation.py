"""What is revoked, and which tokens that ends. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias, get_args

from shared.tokens.claims import Claims, Parent

Kind: TypeAlias = Literal["jti", "sid", "user", "client", "key", "all"]

_FOR_GOOD: frozenset[Kind] = frozenset({"jti", "sid", "key"})
_EXPIRY_BITS = 40
_EXPIRY = (1 << _EXPIRY_BITS) - 1


class Target(NamedTuple):
    """A token (`jti`), a session (`sid`), all of a user (`sub`), a client (`client_id`) or a key (`kid`), or all."""

    kind: Kind
    value: str


EVERYTHING = Target("all", "*")
"""All tokens that there are."""


class Issued(NamedTuple):
    """Something that a revocation of `target` may end; it was issued at the second `at`."""

    target: Target
    at: int


@dataclass(frozen=True, slots=True)
class Revocation:
    """An end that was put to tokens; both times are whole Unix seconds.

    `jti`, `sid` and `key` end for good: who has stolen a key writes any time into a token. `user`, `client` and `all`
    end what was issued up to `not_before`, that second included; of all that apply the latest holds.
    `expires_at` is not before the `exp` of any token that it ends: until then it must be remembered.
    """

    target: Target
    not_before: int
    expires_at: int

    def together_with(self, other: "Revocation") -> "Revocation":
        """What is in force where both are, about the same target."""
        return Revocation(self.target, max(self.not_before, other.not_before), max(self.expires_at, other.expires_at))


def targets_of(claims: Claims) -> tuple[Target, ...]:
    """All that a revocation of this token could be about."""
    targets = (
        Target("jti", claims.jti),
        Target("user", claims.sub),
        Target("client", claims.client_id),
        Target("key", claims.kid),
        EVERYTHING,
    )
    of_parents = [target for parent in claims.parents for target in _targets_of_parent(parent)]
    return (*targets, *of_parents) if claims.sid is None else (*targets, *of_parents, Target("sid", claims.sid))


def _targets_of_parent(parent: Parent) -> tuple[Target, ...]:
    """Subject and session are those of the token that was made from it."""
    return Target("jti", parent.jti), Target("client", parent.client_id), Target("key", parent.kid)


class RevokedSet:
    """All revocations that this process knows; it only ever grows, until they expire."""

    def __init__(self) -> None:
        # One number for each: the not-before above, the expiry in the low bits. 100,000 of them take 17 MB.
        self._kinds: dict[Kind, dict[str, int]] = {kind: {} for kind in get_args(Kind)}
        self._jti, self._sid, self._user, self._client, self._key, self._all = self._kinds.values()
        self._ends_many = False  # seldom: it spares each token two lookups

    def __len__(self) -> int:
        return sum(map(len, self._kinds.values()))

    def add(self, revocation: Revocation) -> None:
        """Remember it. Of two about the same target the later not-before and the later expiry hold."""
        kind, value = revocation.target
        known = self._kinds[kind].get(value, 0)
        not_before = max(revocation.not_before, known >> _EXPIRY_BITS)
        expires_at = max(revocation.expires_at, known & _EXPIRY)
        self._kinds[kind][value] = not_before << _EXPIRY_BITS | expires_at
        self._ends_many = bool(self._key or self._all)

    def not_before(self, target: Target) -> int:
        """The last second in which tokens were issued that a revocation of this target ends; -1: there is none."""
        return self._kinds[target.kind].get(target.value, -1) >> _EXPIRY_BITS

    def ends(self, issued: Issued) -> bool:
        """Whether a revocation of that target ends it."""
        not_before = self.not_before(issued.target)
        return not_before >= 0 if issued.target.kind in _FOR_GOOD else issued.at <= not_before

    def values(self, kind: Kind) -> Sequence[str]:
        """What is revoked of this kind: ids of tokens, of sessions, and so on."""
        return list(self._kinds[kind])

    def is_revoked(self, claims: Claims) -> bool:
        """Whether any of them ends this token, or one that it was exchanged from."""
        return (
            claims.jti in self._jti
            or claims.sid in self._sid
            or claims.iat <= self._user.get(claims.sub, -1) >> _EXPIRY_BITS
            or claims.iat <= self._client.get(claims.client_id, -1) >> _EXPIRY_BITS
            or (self._ends_many and (claims.kid in self._key or claims.iat <= self.not_before(EVERYTHING)))
            or (bool(claims.parents) and self._ends_a_parent(claims))
        )

    def _ends_a_parent(self, claims: Claims) -> bool:
        user = self._user.get(claims.sub, -1) >> _EXPIRY_BITS
        return any(
            parent.jti in self._jti
            or parent.kid in self._key
            or parent.iat <= user
            or parent.iat <= self.not_before(EVERYTHING)
            or parent.iat <= self._client.get(parent.client_id, -1) >> _EXPIRY_BITS
            for parent in claims.parents
        )

    def drop_expired(self, now: float) -> None:
        """Forget what can't end a token any more, because all that it ended has expired."""
        for known in self._kinds.values():
            for value in [value for value, packed in known.items() if packed & _EXPIRY <= now]:
                del known[value]
        self._ends_many = bool(self._key or self._all)
