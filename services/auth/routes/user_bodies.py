"""The bodies of `/api/users` and `/api/me/password`."""

from collections.abc import Sequence
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, Field

from services.auth.domain.password_policy import LONGEST, SHORTEST
from services.auth.domain.user_changes import UserChange
from services.auth.domain.users import User, flaw_of_username, scope_of
from services.auth.flows.change_password import PasswordChange
from services.auth.flows.create_user import NewUser
from shared import clock
from shared.web.schema import RequestModel, ResponseModel


def _username(raw_username: str) -> str:
    if flaw := flaw_of_username(raw_username):
        raise ValueError(flaw)
    return raw_username


def _distinct(values: list[str]) -> list[str]:
    if len(set(values)) != len(values):
        message = "must not name one twice"
        raise ValueError(message)
    return values


def _printable(text: str) -> str:
    if not text.isprintable() or text != text.strip():
        message = "printable letters, with no space at an end"
        raise ValueError(message)
    return text


Username: TypeAlias = Annotated[
    str,
    Field(
        min_length=1,
        max_length=128,
        description="Compared without regard to case and writing (NFKC). It never changes.",
        examples=["ada"],
    ),
    AfterValidator(_username),
]
NewPassword: TypeAlias = Annotated[
    str,
    Field(
        min_length=SHORTEST,
        max_length=LONGEST,
        description="Any letters of any script (NFKC). Not one of the first that anybody would try.",
        examples=["a lamp on the stairs"],
        json_schema_extra={"format": "password"},
    ),
]
PresentPassword: TypeAlias = Annotated[
    str,
    Field(
        min_length=1, max_length=LONGEST, examples=["a lamp on the stairs"], json_schema_extra={"format": "password"}
    ),
]
Role: TypeAlias = Literal["user", "admin"]
Roles: TypeAlias = Annotated[
    list[Role],
    Field(max_length=2, description="`admin` gives the scope `admin`.", examples=[["user"]]),
    AfterValidator(_distinct),
]
Permissions: TypeAlias = Annotated[
    list[Literal["read", "write"]],
    Field(max_length=2, description="They give the scopes `jobs:read` and `jobs:write`.", examples=[["read", "write"]]),
    AfterValidator(_distinct),
]
DisplayName: TypeAlias = Annotated[
    str | None,
    Field(max_length=128, description="Shown to people; means nothing else.", examples=["Ada Lovelace"]),
    AfterValidator(lambda text: None if text is None else _printable(text)),
]


def _usual_roles() -> list[Role]:
    return ["user"]


class UserRequest(RequestModel):
    username: Username
    password: NewPassword
    roles: Roles = Field(default_factory=_usual_roles)
    permissions: Permissions = Field(default_factory=list)
    display_name: DisplayName = None

    @property
    def new_user(self) -> NewUser:
        return NewUser(self.username, self.password, tuple(self.roles), tuple(self.permissions), self.display_name)


class UserChangeRequest(RequestModel):
    """What is left out stays."""

    roles: Roles = Field(default_factory=list)
    permissions: Permissions = Field(default_factory=list)
    disabled: bool = Field(default_factory=bool, description="Whether the user can't log in.")
    password: NewPassword = Field(default_factory=str)
    display_name: DisplayName = None

    @property
    def change(self) -> UserChange:
        return UserChange(
            frozenset(self.model_fields_set),
            tuple(self.roles),
            tuple(self.permissions),
            self.disabled,
            self.password,
            self.display_name,
        )


class PasswordChangeRequest(RequestModel):
    current_password: PresentPassword
    new_password: NewPassword

    @property
    def change(self) -> PasswordChange:
        return PasswordChange(self.current_password, self.new_password)


class UserResponse(ResponseModel):
    user_id: str = Field(examples=["user_mfrggzdfmztwq2lknnwg23tpob"])
    username: str = Field(description="In the form in which names are compared.", examples=["ada"])
    display_name: str | None = Field(examples=["Ada Lovelace"])
    roles: list[str] = Field(examples=[["user"]])
    permissions: list[str] = Field(examples=[["read", "write"]])
    scope: str = Field(description="The most that a token of this user can have.", examples=["jobs:read jobs:write"])
    disabled: bool
    created_at: str = Field(examples=["2026-11-24T22:22:24.123Z"])
    changed_at: str = Field(examples=["2026-11-24T22:22:24.123Z"])

    @classmethod
    def of(cls, user: User) -> "UserResponse":
        return cls(
            user_id=user.user_id,
            username=user.username,
            display_name=user.display_name,
            roles=list(user.roles),
            permissions=list(user.permissions),
            scope=" ".join(sorted(scope_of(user.roles, user.permissions))),
            disabled=user.disabled,
            created_at=clock.rfc3339(user.created_at_ms / 1000),
            changed_at=clock.rfc3339(user.changed_at_ms / 1000),
        )


class UsersResponse(ResponseModel):
    users: list[UserResponse]
    next_cursor: str | None = Field(description="Give it as `cursor` for those behind these; null at the end.")

    @classmethod
    def of(cls, users: Sequence[User], next_cursor: str | None) -> "UsersResponse":
        return cls(users=[UserResponse.of(user) for user in users], next_cursor=next_cursor)
