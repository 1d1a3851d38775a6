"""The composition root: everything that lives as long as the process, opened and closed in one place."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from redis.asyncio import Redis

from services.auth.domain.access_tokens import lead_of
from services.auth.domain.lockout import Limits
from services.auth.domain.revocations import Guard
from services.auth.domain.sessions import Lifetimes
from services.auth.flows.client_authentication import ClientAuthentication
from services.auth.flows.end_all_sessions import EndAllSessions
from services.auth.flows.end_session import EndSession
from services.auth.flows.ending import Ending
from services.auth.flows.fill_feed import FillFeed
from services.auth.flows.issue_client_token import IssueClientToken
from services.auth.flows.issuing import AccessTokens
from services.auth.flows.list_sessions import ListSessions
from services.auth.flows.login import Login
from services.auth.flows.logout import Logout
from services.auth.flows.refresh_session import RefreshSession
from services.auth.flows.revoke_target import RevokeTarget
from services.auth.flows.revoke_token import NothingRevoked, RevokeToken
from services.auth.passwords import Passwords
from services.auth.settings import AuthSettings
from services.auth.signing_keys import SigningKeys
from services.auth.stores.announcer import Announcer
from services.auth.stores.clients import Clients
from services.auth.stores.login_attempts import LoginAttempts
from services.auth.stores.recent_clients import RecentClients
from services.auth.stores.revocations import Revocations
from services.auth.stores.sessions import Sessions
from services.auth.stores.users import Users
from shared import clock
from shared.background import end
from shared.clients.aws import open_dynamodb
from shared.clients.aws_types import DynamoDBClient
from shared.clients.redis import open_redis
from shared.errors import Unavailable
from shared.telemetry.logs import get_logger
from shared.tokens.announcements import Announcements
from shared.tokens.claims import VerificationPolicy
from shared.tokens.direct_reads import DirectReads
from shared.tokens.key_source import StaticKeySource
from shared.tokens.revocation import RevocationStatus
from shared.tokens.revocation_feed import RevocationFeed
from shared.tokens.revocation_keys import TABLE as REVOCATIONS
from shared.tokens.verifier import Verifier

_LOOK_AT_FEED_SECONDS = 1
_PATIENCE_SECONDS = 2
log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Resources:
    """What the routes call, and what readiness looks at."""

    settings: AuthSettings
    keys: SigningKeys
    verifier: Verifier
    login: Login
    logout: Logout
    list_sessions: ListSessions
    end_session: EndSession
    end_all_sessions: EndAllSessions
    issue_client_token: IssueClientToken
    refresh_session: RefreshSession
    revoke_token: RevokeToken
    revoke_target: RevokeTarget
    users: Users
    redis: Redis
    feed: RevocationFeed
    direct_reads: DirectReads


@asynccontextmanager
async def open_resources(settings: AuthSettings, keys: SigningKeys) -> AsyncIterator[Resources]:
    """Everything, opened; nothing is asked of Redis or AWS before the first use."""
    async with AsyncExitStack() as stack:
        dynamodb = await stack.enter_async_context(open_dynamodb(settings))
        redis = open_redis(settings.redis_url)
        stack.push_async_callback(redis.aclose)
        feed = RevocationFeed(settings.redis_url)
        feed.start()
        stack.push_async_callback(feed.stop)
        passwords = Passwords(
            memory_kib=settings.password_memory_kib,
            iterations=settings.password_iterations,
            threads=settings.password_threads,
            queue=settings.password_queue,
        )
        stack.callback(passwords.close)
        announcer = Announcer(Announcements(redis), feed.revoked)
        announcer.start()
        stack.push_async_callback(announcer.stop)
        revocations = Revocations(dynamodb, settings.table_prefix)
        fill = FillFeed(revocations, announcer, clock.now)
        await stack.enter_async_context(_repeated(fill))
        # A refresh asks the truth in any case, and has the time to wait for it.
        waits = settings.revocation_read_timeout_seconds, _PATIENCE_SECONDS
        direct_reads, patient_reads = (_direct_reads(stack, dynamodb, settings, seconds) for seconds in waits)
        yield _compose(
            settings, keys, dynamodb, redis, feed, passwords, announcer, revocations, direct_reads, patient_reads
        )


def _direct_reads(
    stack: AsyncExitStack, dynamodb: DynamoDBClient, settings: AuthSettings, timeout_seconds: float
) -> DirectReads:
    reads = DirectReads(dynamodb, settings.table_prefix + REVOCATIONS, timeout_seconds=timeout_seconds)
    stack.push_async_callback(reads.stop)
    return reads


def _compose(  # noqa: PLR0917 - a composition root takes what it composes
    settings: AuthSettings,
    keys: SigningKeys,
    dynamodb: DynamoDBClient,
    redis: Redis,
    feed: RevocationFeed,
    passwords: Passwords,
    announcer: Announcer,
    revocations: Revocations,
    direct_reads: DirectReads,
    patient_reads: DirectReads,
) -> Resources:
    now = clock.now
    prefix = settings.table_prefix
    lifetimes = Lifetimes(
        settings.effective_access_ttl_seconds, settings.session_ttl_seconds, settings.refresh_grace_seconds
    )
    users, sessions = Users(dynamodb, prefix), Sessions(dynamodb, prefix)
    access_tokens = AccessTokens(
        keys, settings.issuer, settings.audience, lifetimes, feed.revoked, lead_of(settings.clock_skew_seconds)
    )
    ending = Ending(sessions, revocations, announcer, Guard(lifetimes, settings.clock_skew_seconds))
    authentication = ClientAuthentication(RecentClients(Clients(dynamodb, prefix)), access_tokens)
    policy = VerificationPolicy(settings.issuer, settings.audience, settings.clock_skew_seconds)
    key_source = StaticKeySource(keys.key_set)
    status = RevocationStatus(feed, direct_reads, max_staleness_seconds=settings.revocation_max_staleness_seconds)
    attempts = LoginAttempts(redis, _limits(settings))
    return Resources(
        settings=settings,
        keys=keys,
        verifier=Verifier(key_source, status, policy),
        login=Login(users, attempts, passwords, sessions, access_tokens, now),
        logout=Logout(sessions, ending, now),
        list_sessions=ListSessions(sessions, now),
        end_session=EndSession(sessions, ending, now),
        end_all_sessions=EndAllSessions(sessions, ending, now),
        issue_client_token=IssueClientToken(authentication, access_tokens, now),
        refresh_session=RefreshSession(authentication, sessions, users, patient_reads, ending, access_tokens, now),
        revoke_token=RevokeToken(
            authentication, sessions, ending, Verifier(key_source, NothingRevoked(), policy, cache_size=0), now
        ),
        revoke_target=RevokeTarget(sessions, ending, now),
        users=users,
        redis=redis,
        feed=feed,
        direct_reads=direct_reads,
    )


def _limits(settings: AuthSettings) -> Limits:
    return Limits(
        settings.attempts_free_per_pair,
        settings.attempts_free_per_user,
        settings.attempts_free_per_address,
        settings.attempts_longest_delay_seconds,
    )


@asynccontextmanager
async def _repeated(fill: FillFeed) -> AsyncIterator[None]:
    """Within: Redis is looked at every second. Every auth does it; there is no leader that could be missing."""
    task = asyncio.create_task(_look_after_feed(fill))
    try:
        yield
    finally:
        await end(task)


async def _look_after_feed(fill: FillFeed) -> None:
    while True:
        try:
            await fill()
        except Unavailable as error:
            log.warning("revocation_feed_not_looked_after", detail=error.detail)
        except Exception:
            log.exception("revocation_feed_not_looked_after")
        await asyncio.sleep(_LOOK_AT_FEED_SECONDS)
