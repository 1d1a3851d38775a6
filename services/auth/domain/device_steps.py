"""What a person is shown next who brings the code of a device. Pure."""

from dataclasses import dataclass
from typing import TypeAlias

from services.auth.domain.clients import Client
from services.auth.domain.device_codes import DeviceAuthorization, UserCode
from services.auth.domain.users import User, scope_of
from shared.errors import Problem


@dataclass(frozen=True, slots=True)
class AskDeviceLogin:
    """`refusal`: why the login that was just tried did not do."""

    refusal: Problem | None = None


@dataclass(frozen=True, slots=True)
class AskUserCode:
    """`typed` is shown again, as it was typed."""

    username: str
    typed: str = ""
    refusal: str | None = None
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class AskDeviceConsent:
    """`scope`: what the user would let the device do, which is no more than the user may."""

    user: User
    client: Client
    user_code: UserCode
    scope: frozenset[str]
    address: str


@dataclass(frozen=True, slots=True)
class DeviceDecided:
    client: Client
    is_allowed: bool


DeviceStep: TypeAlias = AskDeviceLogin | AskUserCode | AskDeviceConsent | DeviceDecided

_UNKNOWN = (
    "No device waits with this code. Look at it again; it may also be too old, and then the device shows a new one."
)
_NOTHING = "What this device asks for, you may not do yourself."


def unknown_code(user: User, typed: str) -> AskUserCode:
    """The same for a code that does not exist, is too old, or was decided about."""
    return AskUserCode(user.username, typed, _UNKNOWN)


def ask_consent(
    user: User, client: Client, user_code: UserCode, row: DeviceAuthorization
) -> AskDeviceConsent | AskUserCode:
    scope = row.scope & scope_of(user.roles, user.permissions)
    if not scope:
        return AskUserCode(user.username, str(user_code), _NOTHING)
    return AskDeviceConsent(user, client, user_code, scope, row.origin.address)
