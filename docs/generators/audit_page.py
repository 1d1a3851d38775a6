"""docs/reference/audit.md: every event of the audit trail."""

from typing import get_args

from docs.generators.markdown import code, page, table
from services.auth.domain.audit import MEANINGS, DetailName, Outcome

_INTRODUCTION = """auth writes down each security decision: to its log at once, as one line whose `event` is the name
below, and soon afterwards to the DynamoDB table `audit`, which administrators read by `GET /api/audit`. Line and entry
have the same `audit_id`.

| field | what it says |
| --- | --- |
| `actor` | who it was, as proven: a user's or a client's id; none for a stranger |
| `subject` | whom or what it was done to |
| `client_id` | through which client |
| `address` | where from, as far as trusted proxies tell |
| `outcome` | OUTCOMES |
| `reason` | why it was refused, or why it was done |
| `trace_id` | finds the request in the logs of every service |

Never a secret: there is no field for what a stranger typed (a password may have been typed in the place of a name), and
any run of forty or more letters of base64url, as all other secrets have, is cut to its first eight."""

_STORED = """## How it is stored

One event is one row, stored whole or not at all. Sparse indexes find it by its kind, its client, and each user that it
is about, so every question is a query. What every login would write to (all events, a kind, a client) is split into
eight partitions, which are read together; a user has partitions of their own. Rows expire after
`MAYFLY_AUDIT_KEEP_DAYS`. What DynamoDB does not take waits in memory, at most 10,000 events in each process; beyond
that an event is in the log alone, and `mayfly_audit_events_dropped_total` counts it."""


def audit_page() -> str:
    outcomes = " or ".join(map(code, get_args(Outcome)))
    events = table(["event", "what it means"], [[code(event), MEANINGS[event]] for event in sorted(MEANINGS)])
    details = ", ".join(map(code, sorted(get_args(DetailName))))
    return page(
        "Audit trail",
        _INTRODUCTION.replace("OUTCOMES", outcomes),
        "## Events",
        events,
        f"`details` may have: {details}.",
        _STORED,
    )
