"""The composition root: everything that lives as long as the process, opened and closed in one place.

What is opened is here; which flows are made of it says `composition`, a module an area.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from services.auth.composition.api_keys import ApiKeyFlows, api_key_flows
from services.auth.composition.browser import BrowserFlows, browser_flows
from services.auth.composition.clients import ClientFlows, client_flows
from services.auth.composition.devices import DeviceFlows
from services.auth.composition.feed import fleet_clock, keeping_feed
from services.auth.composition.keys import KeyFlows, key_flows, signing_keys
from services.auth.composition.parts import Backends, Parts, make_parts
from services.auth.composition.sessions import SessionFlows, session_flows
from services.auth.composition.status_lists import StatusListFlows, status_list_flows
from services.auth.composition.tokens import TokenFlows, token_flows
from services.auth.composition.users import UserFlows, user_flows
from services.auth.flows.read_audit import ReadAudit
from services.auth.passwords import Passwords
from services.auth.settings import AuthSettings
from services.auth.signing_keys import SigningKeys, StaticKeys
from services.auth.stores.announcer import Announcer
from services.auth.stores.audit_entries import AuditEntries
from services.auth.stores.audit_trail import AuditTrail
from services.auth.stores.revocations import Revocations
from shared.clients.aws import open_dynamodb
from shared.clients.aws_types import DynamoDBClient
from shared.clients.redis import open_redis
from shared.tokens.announcements import Announcements
from shared.tokens.direct_reads import DirectReads
from shared.tokens.revocation_feed import RevocationFeed
from shared.tokens.revocation_keys import TABLE as REVOCATIONS
from shared.tokens.verifier import Verifier

_PATIENCE_SECONDS = 2


@dataclass(frozen=True, slots=True)
class Resources:
    """What the routes call, area by area, and what readiness looks at."""

    settings: AuthSettings
    keys: SigningKeys
    parts: Parts
    sessions: SessionFlows
    tokens: TokenFlows
    browser: BrowserFlows
    clients: ClientFlows
    api_keys: ApiKeyFlows
    status_lists: StatusListFlows
    users: UserFlows
    key_ring: KeyFlows
    read_audit: ReadAudit

    @property
    def verifier(self) -> Verifier:
        return self.parts.verifier

    @property
    def devices(self) -> DeviceFlows:
        return self.browser.devices

    @property
    def backends(self) -> Backends:
        return self.parts.backends


@asynccontextmanager
async def open_resources(settings: AuthSettings, static_keys: StaticKeys | None) -> AsyncIterator[Resources]:
    """Everything, opened; Redis and AWS are asked in the background. Without `static_keys` a key ring is followed."""
    async with AsyncExitStack() as stack:
        backends = await _open_backends(stack, settings)
        await stack.enter_async_context(keeping_feed(settings, backends))
        keys, changes = await stack.enter_async_context(signing_keys(settings, static_keys, backends))
        parts = make_parts(settings, keys, backends, fleet_clock(settings, backends.feed))
        yield Resources(
            settings=settings,
            keys=keys,
            parts=parts,
            sessions=session_flows(parts),
            tokens=token_flows(parts),
            browser=browser_flows(parts),
            clients=client_flows(parts),
            api_keys=api_key_flows(parts),
            status_lists=status_list_flows(parts),
            users=user_flows(parts),
            key_ring=key_flows(parts, keys, changes),
            read_audit=ReadAudit(AuditEntries(backends.dynamodb, settings.table_prefix)),
        )


async def _open_backends(stack: AsyncExitStack, settings: AuthSettings) -> Backends:
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
    audit = AuditTrail(dynamodb, settings.table_prefix, keep_seconds=settings.audit_keep_days * 86_400)
    audit.start()
    stack.push_async_callback(audit.stop)
    return Backends(
        dynamodb=dynamodb,
        redis=redis,
        feed=feed,
        announcer=announcer,
        audit=audit,
        revocations=Revocations(dynamodb, settings.table_prefix),
        passwords=passwords,
        direct_reads=_direct_reads(stack, dynamodb, settings, settings.revocation_read_timeout_seconds),
        patient_reads=_direct_reads(stack, dynamodb, settings, _PATIENCE_SECONDS),
    )


def _direct_reads(
    stack: AsyncExitStack, dynamodb: DynamoDBClient, settings: AuthSettings, timeout_seconds: float
) -> DirectReads:
    reads = DirectReads(dynamodb, settings.table_prefix + REVOCATIONS, timeout_seconds=timeout_seconds)
    stack.push_async_callback(reads.stop)
    return reads
