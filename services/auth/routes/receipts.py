"""The receipt of a revocation, where the answer has no body to hold it."""

from typing import Any

from services.auth.flows.ending import Announced

RECEIPT = "Revocation-Receipt"


def receipt_of(announced: Announced | None) -> dict[str, str]:
    """The header; none where there was nothing to revoke."""
    return {} if announced is None else {RECEIPT: announced.receipt}


def with_receipt(status: int, description: str) -> dict[int | str, dict[str, Any]]:
    """What a route says of the answer that carries it."""
    header = {
        "description": "Id in the stream: a service whose `mayfly_revocation_stream_position` is not before it knows.",
        "schema": {"type": "string"},
        "example": "1795559244123-0",
    }
    return {status: {"description": description, "headers": {RECEIPT: header}}}
