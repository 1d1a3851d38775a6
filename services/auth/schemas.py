"""The bodies of auth's own API (`/api/…`)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, TypeAlias

from pydantic import Field, field_validator, model_validator

from services.auth.domain.sessions import Session
from services.auth.domain.users import LONGEST_USERNAME, fold_username
from services.auth.flows.ending import Announced
from services.auth.flows.login import LoggedIn
from shared import clock
from shared.tokens.claims import Caller
from shared.tokens.revocation import EVERYTHING, Kind, Target
from shared.web.schema import RequestModel, ResponseModel

KindName: TypeAlias = Literal["jti", "session", "user", "client", "key", "all"]
_KIND_NAMES: dict[Kind, KindName] = {
    "jti": "jti",
    "sid": "session",
    "user": "user",
    "client": "client",
    "key": "key",
    "all": "all",
}
_KINDS: dict[KindName, Kind] = {name: kind for kind, name in _KIND_NAMES.items()}


class LoginRequest(RequestModel):
    username: str = Field(min_length=1, max_length=128, examples=["testuser"])
    password: str = Field(min_length=1, max_length=128, examples=["testpass"])

    @field_validator("username")
    @classmethod
    def _fits_folded(cls, raw_username: str) -> str:
        """One letter may fold to eighteen, and DynamoDB takes a key of 2,048 bytes."""
        if len(fold_username(raw_username)) > LONGEST_USERNAME:
            message = f"at most {LONGEST_USERNAME} letters in its normal form (NFKC)"
            raise ValueError(message)
        return raw_username


class LoginResponse(ResponseModel):
    success: Literal[True] = True
    token: str = Field(description="The access token: send it as `Authorization: Bearer …`.", examples=["eyJhbGciOi…"])
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - RFC 6750's word
    expires_in: int = Field(description="Seconds until the access token expires.", examples=[900])
    expires_at: int = Field(description="The same as seconds since the Unix epoch.", examples=[1795560144])
    refresh_token: str = Field(
        description="Gives the next tokens, once, at `/oauth2/token`.",
        examples=["ses_mfrggzdfmztwq2lknnwg23tpob.8Kx…"],
    )
    session_id: str = Field(examples=["ses_mfrggzdfmztwq2lknnwg23tpob"])

    @classmethod
    def of(cls, logged_in: LoggedIn) -> "LoginResponse":
        access = logged_in.access
        return cls(
            token=access.token,
            expires_in=access.expires_in,
            expires_at=access.expires_at,
            refresh_token=str(logged_in.refresh_token),
            session_id=logged_in.session.session_id,
        )


class MeResponse(ResponseModel):
    user_id: str = Field(description="The token's `sub`.", examples=["user_testuser"])
    username: str | None = Field(description="Null in a client's own token.", examples=["testuser"])
    client_id: str = Field(examples=["mayfly-login"])
    roles: list[str] = Field(examples=[["user"]])
    permissions: list[str] = Field(examples=[["read", "write"]])
    scope: str = Field(examples=["jobs:read jobs:write"])
    session_id: str | None = Field(examples=["ses_mfrggzdfmztwq2lknnwg23tpob"])
    expires_at: str = Field(description="When the token expires.", examples=["2026-11-24T22:37:24.000Z"])

    @classmethod
    def of(cls, caller: Caller) -> "MeResponse":
        return cls(
            user_id=caller.user_id,
            username=caller.claims.username,
            client_id=caller.client_id,
            roles=list(caller.roles),
            permissions=list(caller.permissions),
            scope=" ".join(sorted(caller.scope)),
            session_id=caller.session_id,
            expires_at=clock.rfc3339(caller.claims.exp),
        )


class SessionResponse(ResponseModel):
    session_id: str = Field(examples=["ses_mfrggzdfmztwq2lknnwg23tpob"])
    client_id: str = Field(examples=["mayfly-login"])
    scope: str = Field(examples=["jobs:read jobs:write"])
    created_at: str = Field(examples=["2026-11-24T22:22:24.123Z"])
    last_used_at: str = Field(description="The last login or refresh.", examples=["2026-11-24T22:22:24.123Z"])
    expires_at: str = Field(description="Until when it can be refreshed.", examples=["2026-12-24T22:22:24.000Z"])
    address: str = Field(examples=["192.0.2.7"])
    user_agent: str = Field(examples=["curl/8.5.0"])
    current: bool = Field(description="Whether it is the session of the token that asks.")

    @classmethod
    def of(cls, session: Session, caller: Caller) -> "SessionResponse":
        return cls(
            session_id=session.session_id,
            client_id=session.client_id,
            scope=" ".join(sorted(session.scope)),
            created_at=clock.rfc3339(session.created_at_ms / 1000),
            last_used_at=clock.rfc3339(session.last_used_at_ms / 1000),
            expires_at=clock.rfc3339(session.expires_at),
            address=session.origin.address,
            user_agent=session.origin.user_agent,
            current=session.session_id == caller.session_id,
        )


class SessionsResponse(ResponseModel):
    sessions: list[SessionResponse]

    @classmethod
    def of(cls, sessions: Sequence[Session], caller: Caller) -> "SessionsResponse":
        return cls(sessions=[SessionResponse.of(session, caller) for session in sessions])


class RevocationRequest(RequestModel):
    kind: KindName = Field(
        description="What `value` names: one token by its `jti`, a session, a user by `user_id`, a client, or a "
        "signing key by its `kid`. `all` has no `value`: it means every token.",
        examples=["user"],
    )
    value: str | None = Field(None, pattern=r"^[A-Za-z0-9._:@/+=-]{1,128}$", examples=["user_alice"])
    not_before: str | None = Field(
        None,
        pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z$",
        description="For a user, a client or all: what was issued up to this second is revoked; by default up to now.",
        examples=["2026-11-24T22:22:24Z"],
    )

    @field_validator("not_before")
    @classmethod
    def _is_a_time(cls, raw_time: str | None) -> str | None:
        if raw_time is not None and datetime.fromisoformat(raw_time).timestamp() < 0:
            message = "a time since 1970"
            raise ValueError(message)
        return raw_time

    @model_validator(mode="after")
    def _is_named(self) -> "RevocationRequest":
        if (self.kind == "all") is not (self.value is None):
            message = "`value` names what is revoked; only the kind `all` has none"
            raise ValueError(message)
        return self

    @property
    def target(self) -> Target:
        return EVERYTHING if self.value is None else Target(_KINDS[self.kind], self.value)

    @property
    def second(self) -> int | None:
        return None if self.not_before is None else int(datetime.fromisoformat(self.not_before).timestamp())


class RevocationResponse(ResponseModel):
    kind: KindName = Field(examples=["user"])
    value: str = Field(description="`*` for the kind `all`.", examples=["user_alice"])
    receipt: str = Field(
        description="The id in the stream: a service whose `mayfly_revocation_stream_position` is not before it knows.",
        examples=["1795559244123-0"],
    )
    not_before: str = Field(
        description="Tokens of a user, a client or all up to this second are revoked; other kinds end for good.",
        examples=["2026-11-24T22:22:24.000Z"],
    )
    expires_at: str = Field(
        description="Until when it is remembered: all that it ends has expired by then.",
        examples=["2026-12-24T22:22:30.000Z"],
    )

    @classmethod
    def of(cls, announced: Announced) -> "RevocationResponse":
        revocation = announced.revocation
        return cls(
            kind=_KIND_NAMES[revocation.target.kind],
            value=revocation.target.value,
            receipt=announced.receipt,
            not_before=clock.rfc3339(revocation.not_before),
            expires_at=clock.rfc3339(revocation.expires_at),
        )
