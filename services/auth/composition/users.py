"""The flows of users."""

from dataclasses import dataclass

from services.auth.composition.parts import Parts
from services.auth.flows.change_password import ChangePassword
from services.auth.flows.change_user import ChangeUser
from services.auth.flows.create_user import CreateUser
from services.auth.flows.delete_user import DeleteUser
from services.auth.flows.get_user import GetUser
from services.auth.flows.list_users import ListUsers
from services.auth.flows.revoke_user import RevokeUser


@dataclass(frozen=True, slots=True)
class UserFlows:
    create: CreateUser
    list: ListUsers
    get: GetUser
    change: ChangeUser
    delete: DeleteUser
    revoke: RevokeUser
    change_password: ChangePassword


def user_flows(parts: Parts) -> UserFlows:
    users, ending, now = parts.users, parts.ending, parts.now
    passwords, audit = parts.backends.passwords, parts.backends.audit
    return UserFlows(
        create=CreateUser(users, passwords, audit, now),
        list=ListUsers(users),
        get=GetUser(users),
        change=ChangeUser(users, passwords, ending, audit, now),
        delete=DeleteUser(users, ending, parts.ending_api_keys, audit, now),
        revoke=RevokeUser(users, ending, parts.ending_api_keys, now),
        change_password=ChangePassword(users, parts.sessions, parts.password_check, passwords, ending, audit, now),
    )
