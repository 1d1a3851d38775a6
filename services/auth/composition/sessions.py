"""The flows of users and their sessions."""

from dataclasses import dataclass

from services.auth.composition.parts import Parts
from services.auth.domain.lockout import Limits
from services.auth.flows.end_all_sessions import EndAllSessions
from services.auth.flows.end_session import EndSession
from services.auth.flows.list_sessions import ListSessions
from services.auth.flows.login import Login
from services.auth.flows.logout import Logout
from services.auth.flows.refresh_session import RefreshSession
from services.auth.settings import AuthSettings
from services.auth.stores.login_attempts import LoginAttempts


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
    attempts = LoginAttempts(parts.backends.redis, _limits(parts.settings))
    return SessionFlows(
        login=Login(parts.users, attempts, parts.backends.passwords, sessions, access_tokens, now),
        logout=Logout(sessions, ending, now),
        list=ListSessions(sessions, now),
        end=EndSession(sessions, ending, now),
        end_all=EndAllSessions(sessions, ending, now),
        # A refresh asks the truth in any case, and has the time to wait for it.
        refresh=RefreshSession(
            parts.authentication, sessions, parts.users, parts.backends.patient_reads, ending, access_tokens, now
        ),
    )


def _limits(settings: AuthSettings) -> Limits:
    return Limits(
        settings.attempts_free_per_pair,
        settings.attempts_free_per_user,
        settings.attempts_free_per_address,
        settings.attempts_longest_delay_seconds,
    )
