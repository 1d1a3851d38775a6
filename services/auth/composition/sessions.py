"""The flows of users and their sessions."""

from dataclasses import dataclass

from services.auth.composition.parts import Parts
from services.auth.flows.end_all_sessions import EndAllSessions
from services.auth.flows.end_session import EndSession
from services.auth.flows.list_sessions import ListSessions
from services.auth.flows.login import Login
from services.auth.flows.logout import Logout
from services.auth.flows.refresh_session import RefreshSession


@dataclass(frozen=True, slots=True)
class SessionFlows:
    login: Login
    logout: Logout
    list: ListSessions
    end: EndSession
    end_all: EndAllSessions
    refresh: RefreshSession


def session_flows(parts: Parts) -> SessionFlows:
    sessions, ending, access_tokens, now = parts.sessions, parts.ending, parts.access_tokens, parts.now
    audit = parts.backends.audit
    return SessionFlows(
        login=Login(parts.password_check, sessions, access_tokens, audit, now),
        logout=Logout(sessions, ending, now),
        list=ListSessions(sessions, now),
        end=EndSession(sessions, ending, now),
        end_all=EndAllSessions(ending, now),
        # A refresh asks the truth in any case, and has the time to wait for it.
        refresh=RefreshSession(
            parts.authentication,
            sessions,
            parts.users,
            parts.backends.patient_reads,
            ending,
            access_tokens,
            audit,
            now,
        ),
    )
