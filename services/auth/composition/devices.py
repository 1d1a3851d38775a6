"""The flows of devices without a keyboard or a browser."""

from dataclasses import dataclass

from services.auth.composition.parts import Parts
from services.auth.flows.authorization_requests import AuthorizationRequests
from services.auth.flows.browser_logins import BrowserLogins
from services.auth.flows.decide_device import DecideDevice
from services.auth.flows.device_search import DeviceSearch
from services.auth.flows.find_device import FindDevice
from services.auth.flows.log_in_at_device import LogInAtDevice
from services.auth.flows.redeem_device_code import RedeemDeviceCode
from services.auth.flows.session_start import SessionStart
from services.auth.flows.show_device import ShowDevice
from services.auth.flows.start_device_authorization import StartDeviceAuthorization
from services.auth.stores.code_attempts import CodeAttempts
from services.auth.stores.device_authorizations import DeviceAuthorizations
from services.auth.stores.request_budgets import RequestBudgets


@dataclass(frozen=True, slots=True)
class DeviceFlows:
    start: StartDeviceAuthorization
    show: ShowDevice
    log_in: LogInAtDevice
    find: FindDevice
    decide: DecideDevice
    redeem: RedeemDeviceCode


def device_flows(parts: Parts, requests: AuthorizationRequests, logins: BrowserLogins) -> DeviceFlows:
    backends, now = parts.backends, parts.now
    authorizations = DeviceAuthorizations(backends.dynamodb, parts.settings.table_prefix)
    search = DeviceSearch(requests, authorizations, CodeAttempts(backends.redis), backends.audit)
    start = SessionStart(parts.users, backends.patient_reads, parts.access_tokens)
    return DeviceFlows(
        start=StartDeviceAuthorization(
            parts.authentication, authorizations, RequestBudgets(parts.settings.device_starts_per_second), now
        ),
        show=ShowDevice(logins, now),
        log_in=LogInAtDevice(logins, now),
        find=FindDevice(logins, search, now),
        decide=DecideDevice(logins, search, authorizations, backends.audit, now),
        redeem=RedeemDeviceCode(
            parts.authentication, authorizations, start, parts.sessions, parts.ending, backends.audit, now
        ),
    )
