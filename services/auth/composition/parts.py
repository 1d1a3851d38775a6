"""What the flows of more than one area are made of."""

from dataclasses import dataclass, replace

from redis.asyncio import Redis

from services.auth.domain.lockout import Limits
from services.auth.domain.revocations import Guard
from services.auth.domain.sessions import Lifetimes
from services.auth.flows.client_authentication import ClientAuthentication
from services.auth.flows.ending import Ending
from services.auth.flows.ending_api_keys import EndingApiKeys
from services.auth.flows.issuing import AccessTokens
from services.auth.flows.password_check import PasswordCheck
from services.auth.passwords import Passwords
from services.auth.settings import AuthSettings
from services.auth.signing_keys import SigningKeys
from services.auth.stores.announcer import Announcer
from services.auth.stores.api_keys import ApiKeys
from services.auth.stores.audit_trail import AuditTrail
from services.auth.stores.client_attempts import ClientAttempts
from services.auth.stores.clients import Clients
from services.auth.stores.login_attempts import LoginAttempts
from services.auth.stores.recent_clients import RecentClients
from services.auth.stores.revocations import Revocations
from services.auth.stores.sessions import Sessions
from services.auth.stores.status_lists import StatusLists
from services.auth.stores.token_slots import TokenSlots
from services.auth.stores.users import Users
from shared.clients.aws_types import DynamoDBClient
from shared.clock import Clock
from shared.tokens.claims import VerificationPolicy
from shared.tokens.direct_reads import DirectReads
from shared.tokens.key_source import KeySource
from shared.tokens.revocation_feed import RevocationFeed
from shared.tokens.revocation_status import RevocationStatus
from shared.tokens.verifier import Verifier


@dataclass(frozen=True, slots=True)
class Backends:
    """What is opened when the process starts and closed when it ends."""

    dynamodb: DynamoDBClient
    redis: Redis
    feed: RevocationFeed
    announcer: Announcer
    audit: AuditTrail
    revocations: Revocations
    passwords: Passwords
    direct_reads: DirectReads
    patient_reads: DirectReads


@dataclass(frozen=True, slots=True)
class Parts:
    """Made once out of the backends. `now` is the clock of every flow."""

    settings: AuthSettings
    backends: Backends
    now: Clock
    lifetimes: Lifetimes
    users: Users
    api_keys: ApiKeys
    sessions: Sessions
    access_tokens: AccessTokens
    ending: Ending
    ending_api_keys: EndingApiKeys
    password_check: PasswordCheck
    authentication: ClientAuthentication
    key_source: KeySource
    policy: VerificationPolicy
    verifier: Verifier
    issuers_verifier: Verifier


def make_parts(settings: AuthSettings, keys: SigningKeys, backends: Backends, now: Clock) -> Parts:
    """Nothing is asked of a backend here."""
    dynamodb, prefix, feed = backends.dynamodb, settings.table_prefix, backends.feed
    lifetimes = Lifetimes(
        settings.effective_access_ttl_seconds, settings.session_ttl_seconds, settings.refresh_grace_seconds
    )
    sessions = Sessions(dynamodb, prefix)
    access_tokens = AccessTokens(
        keys,
        TokenSlots(StatusLists(dynamodb, prefix)),
        settings.issuer,
        settings.audience,
        lifetimes,
        feed.revoked,
        now,
    )
    policy = VerificationPolicy(settings.issuer, settings.audience, settings.clock_skew_seconds)
    status = RevocationStatus(
        feed, backends.direct_reads, max_staleness_seconds=settings.revocation_max_staleness_seconds
    )
    guard = Guard(lifetimes, settings.clock_skew_seconds)
    users = Users(dynamodb, prefix)
    attempts = LoginAttempts(backends.redis, _limits(settings))
    ending = Ending(sessions, backends.revocations, backends.announcer, guard, backends.audit)
    api_keys = ApiKeys(dynamodb, prefix)
    return Parts(
        settings=settings,
        backends=backends,
        now=now,
        lifetimes=lifetimes,
        users=users,
        api_keys=api_keys,
        sessions=sessions,
        access_tokens=access_tokens,
        ending=ending,
        ending_api_keys=EndingApiKeys(api_keys, ending),
        password_check=PasswordCheck(users, attempts, backends.passwords, access_tokens, backends.audit),
        authentication=ClientAuthentication(
            RecentClients(Clients(dynamodb, prefix)),
            ClientAttempts(_client_limits(settings)),
            access_tokens,
            backends.audit,
        ),
        key_source=keys,
        policy=policy,
        verifier=Verifier(keys, status, policy),
        # It looks at tokens, not at who asks: at those too that were made for other services.
        issuers_verifier=Verifier(keys, status, replace(policy, audience=None)),
    )


def _client_limits(settings: AuthSettings) -> Limits:
    return Limits(
        free_per_pair=settings.client_attempts_free_per_pair,
        free_per_user=0,
        free_per_address=settings.client_attempts_free_per_address,
        longest_delay_seconds=settings.attempts_longest_delay_seconds,
    )


def _limits(settings: AuthSettings) -> Limits:
    return Limits(
        settings.attempts_free_per_pair,
        settings.attempts_free_per_user,
        settings.attempts_free_per_address,
        settings.attempts_longest_delay_seconds,
    )
