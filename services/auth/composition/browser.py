"""The flows of auth's pages, and of what they lead to."""

from dataclasses import dataclass

from services.auth.composition.devices import DeviceFlows, device_flows
from services.auth.composition.parts import Parts
from services.auth.flows.authorization_requests import AuthorizationRequests
from services.auth.flows.browser_logins import BrowserLogins
from services.auth.flows.deny_authorization import DenyAuthorization
from services.auth.flows.grant_authorization import GrantAuthorization
from services.auth.flows.log_in_at_authorization import LogInAtAuthorization
from services.auth.flows.log_out_browser import LogOutBrowser
from services.auth.flows.redeem_code import RedeemCode
from services.auth.flows.session_start import SessionStart
from services.auth.flows.show_authorization import ShowAuthorization
from services.auth.stores.authorization_codes import AuthorizationCodes
from services.auth.stores.browser_sessions import BrowserSessions


@dataclass(frozen=True, slots=True)
class BrowserFlows:
    show_authorization: ShowAuthorization
    log_in_at_authorization: LogInAtAuthorization
    grant_authorization: GrantAuthorization
    deny_authorization: DenyAuthorization
    log_out: LogOutBrowser
    redeem_code: RedeemCode
    devices: DeviceFlows


def browser_flows(parts: Parts) -> BrowserFlows:
    backends, now, prefix = parts.backends, parts.now, parts.settings.table_prefix
    codes = AuthorizationCodes(backends.dynamodb, prefix)
    requests = AuthorizationRequests(parts.authentication.clients, parts.access_tokens)
    # Who asks for a page has the time to wait for the truth.
    logins = BrowserLogins(
        parts.password_check,
        BrowserSessions(backends.dynamodb, prefix),
        parts.users,
        backends.patient_reads,
        backends.audit,
        parts.settings.browser_session_ttl_seconds,
    )
    start = SessionStart(parts.users, backends.patient_reads, parts.access_tokens)
    return BrowserFlows(
        show_authorization=ShowAuthorization(requests, logins, now),
        log_in_at_authorization=LogInAtAuthorization(requests, logins, now),
        grant_authorization=GrantAuthorization(requests, logins, codes, backends.audit, now),
        deny_authorization=DenyAuthorization(requests, backends.audit, now),
        log_out=LogOutBrowser(logins),
        devices=device_flows(parts, requests, logins),
        redeem_code=RedeemCode(parts.authentication, codes, start, parts.sessions, parts.ending, backends.audit, now),
    )
