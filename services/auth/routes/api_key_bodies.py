"""The bodies of `/api/api-keys`."""

from collections.abc import Sequence

from pydantic import Field

from services.auth.domain.api_keys import ApiKey
from services.auth.flows.create_api_key import CreatedApiKey
from services.auth.routes.client_bodies import Name, Scope
from shared import clock
from shared.web.schema import RequestModel, ResponseModel

_DAY_SECONDS = 86_400
_USUAL_DAYS = 90
_MOST_DAYS = 365


class ApiKeyRequest(RequestModel):
    name: Name
    scope: Scope | None = Field(None, description="At most what this token has, which it is if left out.")
    expires_in_days: int = Field(_USUAL_DAYS, ge=1, le=_MOST_DAYS, description="How long the key is good.")

    @property
    def scopes(self) -> frozenset[str] | None:
        return None if self.scope is None else frozenset(self.scope.split(" "))

    @property
    def lifetime_seconds(self) -> int:
        return self.expires_in_days * _DAY_SECONDS


class ApiKeyResponse(ResponseModel):
    key_id: str = Field(examples=["key_mfrggzdfmztwq2lknnwg23tpob"])
    name: str = Field(examples=["Monthly reports"])
    scope: str = Field(examples=["jobs:read"])
    created_at: str = Field(examples=["2026-11-24T22:22:24.123Z"])
    expires_at: str = Field(examples=["2027-02-22T22:22:24.000Z"])
    last_used_at: str | None = Field(
        description="To the hour; null: not used yet.", examples=["2026-11-24T23:00:00.000Z"]
    )

    @classmethod
    def of(cls, key: ApiKey) -> "ApiKeyResponse":
        return cls(
            key_id=key.key_id,
            name=key.name,
            scope=" ".join(sorted(key.scope)),
            created_at=clock.rfc3339(key.created_at_ms / 1000),
            expires_at=clock.rfc3339(key.expires_at),
            last_used_at=None if key.last_used_at is None else clock.rfc3339(key.last_used_at),
        )


class CreatedApiKeyResponse(ApiKeyResponse):
    api_key: str = Field(description="Shown this once.", examples=["mfk_mfrggzdfmztwq2lknnwg23tpob_8Kx…"])

    @classmethod
    def of_created(cls, created: CreatedApiKey) -> "CreatedApiKeyResponse":
        return cls(**ApiKeyResponse.of(created.key).model_dump(), api_key=str(created.presented))


class ApiKeysResponse(ResponseModel):
    api_keys: list[ApiKeyResponse]

    @classmethod
    def of(cls, keys: Sequence[ApiKey]) -> "ApiKeysResponse":
        return cls(api_keys=[ApiKeyResponse.of(key) for key in keys])
