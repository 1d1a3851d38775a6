"""An administrator reads the audit trail."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.auth.domain.audit import AuditEntry
from services.auth.domain.audit_queries import POSITION, AuditQuery, merged
from services.auth.stores.audit_entries import AuditEntries
from shared.cursors import cursor_of, parse_cursor


@dataclass(frozen=True, slots=True)
class ReadAudit:
    """The entries, the newest first, and the cursor to go on with, None at the end.

    A page may hold fewer, none even, while there is a cursor. Raises ValidationFailed: the cursor. Unavailable.
    """

    entries: AuditEntries

    async def __call__(
        self, query: AuditQuery, *, most: int, raw_cursor: str | None
    ) -> tuple[Sequence[AuditEntry], str | None]:
        before = parse_cursor(raw_cursor, POSITION) if raw_cursor is not None else None
        found, last = merged(await self.entries.pages(query, most=most, before=before), most)
        return found, cursor_of(last) if last is not None else None
