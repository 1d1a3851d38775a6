"""How a revocation is written down: in Redis, which carries the news, and in DynamoDB, which is the truth. Pure."""

from collections.abc import Mapping
from typing import Any, cast, get_args

from shared.tokens.claims import LAST_SECOND
from shared.tokens.revocation import Kind, Revocation, Target

SNAPSHOT_KEY = "mayfly:revocations"
"""A sorted set of all that is in force: member `kind|not_before|value`, score `expires_at` (Unix seconds)."""

STREAM_KEY = "mayfly:revocations:stream"
"""What was added, in order: `revocation` (the member), `expires_at`, `announced_at`. Written with the snapshot."""

GENERATION_KEY = "mayfly:revocations:generation"
"""Missing from a Redis that has lost its data: nothing in it is believed until it is filled again from DynamoDB."""

TABLE = "revocations"
"""DynamoDB: partition key `target` (`kind#value`), numbers `not_before`, `expires_at` (the TTL), `revoked_at_ms`."""

_KINDS = frozenset(get_args(Kind))


def to_member(revocation: Revocation) -> str:
    """The sorted set's member, and the stream's field `revocation`."""
    return f"{revocation.target.kind}|{revocation.not_before}|{revocation.target.value}"


def from_member(member: str, expires_at: float | str) -> Revocation:
    """The other way.

    Raises:
        ValueError: not written by `to_member`, or of a kind that this version does not know.
    """
    kind, not_before, value = member.split("|", 2)
    if kind not in _KINDS:
        raise ValueError(f"{kind} is no kind of revocation")
    revocation = Revocation(Target(cast("Kind", kind), value), int(not_before), int(expires_at))
    if not (0 <= revocation.not_before <= LAST_SECOND and 0 <= revocation.expires_at <= LAST_SECOND):
        raise ValueError("not a time")
    return revocation


def row_key(target: Target) -> str:
    """The value of the partition key `target`."""
    return f"{target.kind}#{target.value}"


def to_row(revocation: Revocation, revoked_at_ms: int) -> dict[str, Any]:
    """A row in DynamoDB's wire form."""
    return {
        "target": {"S": row_key(revocation.target)},
        "kind": {"S": revocation.target.kind},
        "value": {"S": revocation.target.value},
        "not_before": {"N": str(revocation.not_before)},
        "expires_at": {"N": str(revocation.expires_at)},
        "revoked_at_ms": {"N": str(revoked_at_ms)},
    }


def from_row(row: Mapping[str, Any]) -> Revocation:
    """The other way."""
    target = Target(row["kind"]["S"], row["value"]["S"])
    return Revocation(target, int(row["not_before"]["N"]), int(row["expires_at"]["N"]))
