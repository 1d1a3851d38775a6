"""What an access token says (RFC 9068 §2.2), and whether it may be believed now. Pure: the time is an argument."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

MAX_LIFETIME_SECONDS = 86_400
"""No access token lives longer. A revocation by user or client that is kept this long outlives all that it ends."""

MOST_PARENTS = 4
"""A token is handed on by exchange so many times at most."""

LAST_SECOND = 253_402_300_799
"""The end of the year 9999. A later time in a token is a mistake or an attack."""

Reason: TypeAlias = Literal[
    "malformed",
    "too-long",
    "unsupported-header",
    "wrong-type",
    "unsupported-algorithm",
    "unknown-key",
    "bad-signature",
    "invalid-claims",
    "wrong-issuer",
    "wrong-audience",
    "expired",
    "not-yet-valid",
    "revoked",
]


class InvalidToken(Exception):  # noqa: N818 - it states the fact
    """The token proves nothing: a 401 with a challenge (RFC 6750 §3.1). `reason` tells nothing secret."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class VerificationPolicy:
    """Whose tokens are taken, and for whom they must be. Every check has its place here, the defaults too.

    `audience` is None at the issuer alone, where it looks at tokens that it has made for others.
    """

    issuer: str
    audience: str | None
    clock_skew_seconds: int = 5
    max_lifetime_seconds: int = MAX_LIFETIME_SECONDS


class Parent(NamedTuple):
    """A token that another was made from by token exchange: all that a revocation of it could be about."""

    jti: str
    client_id: str
    iat: int
    kid: str


class Claims(NamedTuple):
    """Claims that were checked. Times are Unix seconds.

    A tuple, because one is made for each new token and a frozen dataclass takes four times as long.
    `sid` is the session, absent in a client's own token. `nbf` is absent or already past. `kid` is no claim: it names
    the key whose signature was good. `parents`: the tokens that it was exchanged from, the nearest first.
    """

    iss: str
    sub: str
    aud: tuple[str, ...]
    client_id: str
    jti: str
    iat: int
    nbf: int | None
    exp: int
    scope: frozenset[str]
    sid: str | None
    roles: tuple[str, ...]
    permissions: tuple[str, ...]
    username: str | None
    kid: str = ""
    parents: tuple[Parent, ...] = ()


_PARENT_MEMBERS = frozenset(Parent._fields)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, as proven by a verified access token. Nothing after the verifier takes a dict of claims."""

    claims: Claims

    @property
    def user_id(self) -> str:
        """The `sub`: a user, or the client itself when no user stands behind the token."""
        return self.claims.sub

    @property
    def client_id(self) -> str:
        return self.claims.client_id

    @property
    def session_id(self) -> str | None:
        return self.claims.sid

    @property
    def scope(self) -> frozenset[str]:
        return self.claims.scope

    @property
    def roles(self) -> tuple[str, ...]:
        return self.claims.roles

    @property
    def permissions(self) -> tuple[str, ...]:
        return self.claims.permissions


def check_claims(
    unverified_payload: Mapping[str, object], policy: VerificationPolicy, now: float, *, kid: str = ""
) -> Claims:
    """The claims of a payload whose signature by the key `kid` was good.

    Everything that RFC 9068 §2.2 requires must be there with its very type (`true` is no number, `"1"` neither).
    `now` must be before `exp`; `iat` and `nbf` may lie ahead of `now` by the clocks' skew.

    Raises:
        InvalidToken: the first thing that is wrong.
    """
    get = unverified_payload.get
    if get("iss") != policy.issuer:
        raise InvalidToken("wrong-issuer")
    audience = _audience(get("aud"))
    if policy.audience is not None and policy.audience not in audience:
        raise InvalidToken("wrong-audience")
    issued, not_before, expires = _times(get("iat"), get("nbf"), get("exp"), policy, now)
    return Claims(
        policy.issuer,
        _text(get("sub")),
        audience,
        _text(get("client_id")),
        _text(get("jti")),
        issued,
        not_before,
        expires,
        _scope(get("scope", "")),
        None if (sid := get("sid")) is None else _text(sid),
        () if (roles := get("roles")) is None else _texts(roles),
        () if (permissions := get("permissions")) is None else _texts(permissions),
        None if (username := get("username")) is None else _text(username),
        kid,
        () if (parents := get("exchanged_from")) is None else _parents(parents),
    )


def _times(
    issued: object, not_before: object, expires: object, policy: VerificationPolicy, now: float
) -> tuple[int, int | None, int]:
    if type(issued) is not int or type(expires) is not int or not 0 <= issued < expires <= LAST_SECOND:
        raise InvalidToken("invalid-claims")
    if expires - issued > policy.max_lifetime_seconds:
        raise InvalidToken("invalid-claims")
    if now >= expires:
        raise InvalidToken("expired")
    latest = now + policy.clock_skew_seconds
    if issued > latest:
        raise InvalidToken("not-yet-valid")
    if not_before is None:
        return issued, None, expires
    if type(not_before) is not int or not 0 <= not_before <= LAST_SECOND:
        raise InvalidToken("invalid-claims")
    if not_before > latest:
        raise InvalidToken("not-yet-valid")
    return issued, not_before, expires


def _audience(unverified: object) -> tuple[str, ...]:
    """RFC 7519 §4.1.3: one string, or a list of them."""
    if type(unverified) is str:
        return (unverified,)
    if unverified is None:
        raise InvalidToken("wrong-audience")
    return _texts(unverified)


def _parents(unverified: object) -> tuple[Parent, ...]:
    """Of a claim of ours. What stands in it must be right to the letter, or revoking a parent would miss its child."""
    if type(unverified) is not list or not 0 < len(unverified) <= MOST_PARENTS:
        raise InvalidToken("invalid-claims")
    return tuple(map(_parent, unverified))


def _parent(unverified: object) -> Parent:
    if type(unverified) is not dict or unverified.keys() != _PARENT_MEMBERS:
        raise InvalidToken("invalid-claims")
    issued = unverified["iat"]
    if type(issued) is not int or not 0 <= issued <= LAST_SECOND:
        raise InvalidToken("invalid-claims")
    return Parent(_text(unverified["jti"]), _text(unverified["client_id"]), issued, _text(unverified["kid"]))


def _scope(unverified: object) -> frozenset[str]:
    """RFC 8693 §4.2: names separated by spaces. A token without scope reaches nothing that needs one."""
    if type(unverified) is not str:
        raise InvalidToken("invalid-claims")
    return frozenset(unverified.split())


def _text(unverified: object) -> str:
    if type(unverified) is not str or not unverified:
        raise InvalidToken("invalid-claims")
    return unverified


def _texts(unverified: object) -> tuple[str, ...]:
    if type(unverified) is not list:
        raise InvalidToken("invalid-claims")
    for item in unverified:
        if type(item) is not str:
            raise InvalidToken("invalid-claims")
    return tuple(unverified)
