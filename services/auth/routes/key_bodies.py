"""The bodies of `/api/admin/keys`."""

from collections.abc import Sequence

from pydantic import Field

from services.auth.domain.key_listing import ListedKey, ListedState
from services.auth.flows.distrust_key import Distrusted
from shared import clock
from shared.web.schema import ResponseModel

_TIME = ["2026-11-24T22:22:24.123Z"]


class KeyResponse(ResponseModel):
    kid: str = Field(examples=["NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"])
    alg: str = Field(examples=["RS256"])
    state: ListedState = Field(
        description="`next`: published, signs later; `active`: signs; `retiring`: published for what it signed; "
        "`distrusted`: refused; `published`: a setting publishes it besides.",
        examples=["active"],
    )
    published_at: str | None = Field(description="Since when verifiers can have it.", examples=_TIME)
    signs_from: str | None = Field(description="From when on it signs; null: not decided yet.", examples=_TIME)
    signs_until: str | None = Field(description="When the next one took or takes over.", examples=_TIME)
    distrusted_at: str | None = Field(examples=[None])
    goes_at: str | None = Field(description="When it leaves the ring.", examples=_TIME)

    @classmethod
    def of(cls, key: ListedKey) -> "KeyResponse":
        return cls(
            kid=key.kid,
            alg=key.alg,
            state=key.state,
            published_at=_rfc3339(key.published_at),
            signs_from=_rfc3339(key.signs_from),
            signs_until=_rfc3339(key.signs_until),
            distrusted_at=_rfc3339(key.distrusted_at),
            goes_at=_rfc3339(key.goes_at),
        )


class KeysResponse(ResponseModel):
    managed: bool = Field(description="Whether auth makes and rotates the keys; false: they come from settings.")
    keys: list[KeyResponse] = Field(description="In the order of their publication.")

    @classmethod
    def of(cls, keys: Sequence[ListedKey]) -> "KeysResponse":
        managed = all(key.published_at is not None for key in keys)
        return cls(managed=managed, keys=[KeyResponse.of(key) for key in keys])


class DistrustResponse(ResponseModel):
    kid: str = Field(examples=["NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"])
    receipt: str = Field(
        description="The id in the stream: a service whose `mayfly_revocation_stream_position` is not before it knows.",
        examples=["1795559244123-0"],
    )
    keys: list[KeyResponse]

    @classmethod
    def of(cls, distrusted: Distrusted) -> "DistrustResponse":
        announced = distrusted.announced
        return cls(
            kid=announced.revocation.target.value,
            receipt=announced.receipt,
            keys=[KeyResponse.of(key) for key in distrusted.keys],
        )


def _rfc3339(seconds: float | None) -> str | None:
    return None if seconds is None else clock.rfc3339(seconds)
