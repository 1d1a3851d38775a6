"""How a consent is written down in DynamoDB, as a part of a row."""

from collections.abc import Mapping
from typing import Any

from services.auth.domain.consents import Consent


def consent_row(consent: Consent) -> dict[str, Any]:
    return {
        "user_id": consent.user_id,
        "username": consent.username,
        "client_id": consent.client_id,
        "scope": sorted(consent.scope),
        "issued_at": consent.issued_at,
    }


def consent_of(row: Mapping[str, Any]) -> Consent:
    return Consent(row["user_id"], row["username"], row["client_id"], frozenset(row["scope"]), row["issued_at"])
