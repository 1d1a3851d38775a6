"""Pages of the audit trail: whatever the views and their limits, every entry comes once, the newest first."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from services.auth.domain.audit import AuditEntry, AuditEvent
from services.auth.domain.audit_queries import POSITION, ViewPage, merged
from shared.ids import new_id

EVENT = AuditEvent("login", "succeeded")


def _entry(at_ms: int) -> AuditEntry:
    return AuditEntry(new_id("aud"), at_ms, None, "trace", EVENT)


def _page(view: Sequence[AuditEntry], looked_at: int, before: str | None) -> ViewPage:
    """As DynamoDB reads a view; each third entry is dropped by a filter."""
    newest_first = sorted(view, key=lambda entry: entry.position, reverse=True)
    behind = [entry for entry in newest_first if before is None or entry.position < before]
    seen = behind[:looked_at]
    kept = [entry for entry in seen if entry.at_ms % 3]
    return ViewPage(kept, seen[-1].position if len(behind) > looked_at else None)


@given(
    views=st.lists(st.lists(st.integers(0, 50).map(_entry), max_size=20), min_size=1, max_size=4),
    looked_at=st.integers(1, 6),
    most=st.integers(1, 6),
)
def test_every_entry_comes_once_and_the_newest_first(views: list[list[AuditEntry]], looked_at: int, most: int) -> None:
    found: list[AuditEntry] = []
    before: str | None = None
    for _ in range(200):
        page, before = merged([_page(view, looked_at, before) for view in views], most)
        assert len(page) <= most
        found += page
        if before is None:
            break
    assert before is None
    wanted = [entry for view in views for entry in view if entry.at_ms % 3]
    assert found == sorted(wanted, key=lambda entry: entry.position, reverse=True)


def test_a_position_sorts_by_time_and_is_one_of_ours() -> None:
    early, late = _entry(999), _entry(1_795_560_144_123)
    assert early.position < late.position
    assert POSITION.fullmatch(early.position)
    assert POSITION.fullmatch(late.position)
