"""The parameters and the answer of `/api/audit`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, TypeAlias

from fastapi import Query
from pydantic import AfterValidator, Field

from services.auth.domain.audit import AuditEntry, EventName, Outcome
from shared import clock
from shared.web.schema import ResponseModel


def _time(raw_time: str) -> str:
    if datetime.fromisoformat(raw_time).timestamp() < 0:
        message = "a time since 1970"
        raise ValueError(message)
    return raw_time


Id: TypeAlias = Annotated[str | None, Query(pattern=r"^[!-~\u00a1-\uffff]{1,200}$", examples=["user_alice"])]
Time: TypeAlias = Annotated[
    Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z$"), AfterValidator(_time)] | None,
    Query(examples=["2026-11-24T22:22:24.123Z"]),
]


def milliseconds(time: str | None, default: int) -> int:
    return default if time is None else int(datetime.fromisoformat(time).timestamp() * 1000)


class AuditEntryResponse(ResponseModel):
    audit_id: str = Field(description="Stands in the log line of the same event.", examples=["aud_mfrggzdfmztwq2lk"])
    at: str = Field(examples=["2026-11-24T22:22:24.123Z"])
    event: EventName
    outcome: Outcome
    actor: str | None = Field(
        description="Who it was, as proven: a user's or a client's id. Null for a stranger.", examples=["user_alice"]
    )
    subject: str | None = Field(description="Whom or what it was done to.", examples=["user_alice"])
    client_id: str | None = Field(description="Through which client.", examples=["mayfly-login"])
    address: str | None = Field(description="Where from, as far as trusted proxies tell.", examples=["192.0.2.7"])
    reason: str | None = Field(examples=["wrong_password"])
    details: dict[str, str | int | list[str]] = Field(examples=[{"session_id": "ses_mfrggzdfmztwq2lknnwg23tpob"}])
    trace_id: str = Field(
        description="Finds the request in the logs of every service.", examples=["4bf92f3577b34da6a3ce929d0e0e4736"]
    )

    @classmethod
    def of(cls, entry: AuditEntry) -> "AuditEntryResponse":
        event = entry.event
        return cls(
            audit_id=entry.audit_id,
            at=clock.rfc3339(entry.at_ms / 1000),
            event=event.event,
            outcome=event.outcome,
            actor=event.actor,
            subject=event.subject,
            client_id=event.client_id,
            address=entry.address,
            reason=event.reason,
            details={
                name: detail if isinstance(detail, str | int) else list(detail)
                for name, detail in event.details.items()
            },
            trace_id=entry.trace_id,
        )


class AuditResponse(ResponseModel):
    entries: list[AuditEntryResponse]
    next_cursor: str | None = Field(description="Give it as `cursor` for those before these; null at the end.")

    @classmethod
    def of(cls, entries: Sequence[AuditEntry], next_cursor: str | None) -> "AuditResponse":
        return cls(entries=[AuditEntryResponse.of(entry) for entry in entries], next_cursor=next_cursor)
