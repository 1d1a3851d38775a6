"""What an administrator asks the audit trail, and how a page of it is put together out of several views."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from services.auth.domain.audit import AuditEntry, EventName, Outcome

POSITION = re.compile(r"[0-9]{13}#aud_[a-z2-7]{26}")


@dataclass(frozen=True, slots=True)
class AuditQuery:
    """Everything that is given must hold. `since_ms` belongs to the range, `until_ms` does not."""

    user_id: str | None = None
    client_id: str | None = None
    event: EventName | None = None
    outcome: Outcome | None = None
    since_ms: int = 0
    until_ms: int = 9_999_999_999_999


@dataclass(frozen=True, slots=True)
class ViewPage:
    """What one view has, the newest first. `read_to`: older ones were not looked at; None: there are none."""

    entries: Sequence[AuditEntry]
    read_to: str | None


def merged(pages: Sequence[ViewPage], most: int) -> tuple[list[AuditEntry], str | None]:
    """The newest `most` of all views, and the position behind which to go on; None: that was all.

    A view that was not read to its end may have something anywhere behind the place that it was read to, so nothing
    older than the newest of these places is told yet.
    """
    frontier = max((page.read_to for page in pages if page.read_to is not None), default="")
    entries = sorted(
        (entry for page in pages for entry in page.entries), key=lambda entry: entry.position, reverse=True
    )
    complete = [entry for entry in entries if entry.position >= frontier]
    if len(complete) > most:
        return complete[:most], complete[most - 1].position
    return complete, frontier or None
