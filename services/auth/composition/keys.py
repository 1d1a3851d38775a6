"""The flows of the signing keys, and where the keys come from: settings, or a ring that auth looks after itself."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from services.auth.composition.parts import Backends, Parts
from services.auth.domain.key_ring import RingTiming
from services.auth.flows.distrust_key import DistrustKey
from services.auth.flows.keep_keys import KeepKeys
from services.auth.flows.list_keys import ListKeys
from services.auth.flows.ring_changes import RingChanges
from services.auth.flows.rotate_keys import RotateKeys
from services.auth.settings import AuthSettings
from services.auth.signing_keys import SigningKeys, StaticKeys, load_other_keys
from services.auth.stores.followed_ring import FollowedRing
from services.auth.stores.key_rings import KeyRings
from services.auth.stores.private_keys import PrivateKeys
from shared import clock
from shared.background import end
from shared.clients.aws import open_ssm
from shared.clients.aws_types import SSMClient
from shared.errors import Unavailable
from shared.telemetry.logs import get_logger

_POLLS_OF_A_VIEW = 30
_POLLS_UNTIL_ALL_PUBLISH = 5
log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class KeyFlows:
    list: ListKeys
    rotate: RotateKeys
    distrust: DistrustKey


def key_flows(parts: Parts, keys: SigningKeys, changes: RingChanges | None) -> KeyFlows:
    """`changes` is None where the keys come from settings. The ring goes by each instance's own clock."""
    return KeyFlows(
        list=ListKeys(changes, keys, clock.now),
        rotate=RotateKeys(changes, parts.backends.audit, clock.now),
        distrust=DistrustKey(changes, parts.ending, clock.now),
    )


@asynccontextmanager
async def signing_keys(
    settings: AuthSettings, static_keys: StaticKeys | None, backends: Backends
) -> AsyncIterator[tuple[SigningKeys, RingChanges | None]]:
    """The keys of the settings, if there are some; else, within, the ring is followed and looked after."""
    if static_keys is not None:
        yield static_keys, None
        return
    async with open_ssm(settings) as ssm:
        changes = ring_changes(settings, ssm, backends)
        changes.followed.start()
        keeping = asyncio.create_task(_keep(KeepKeys(changes, clock.now), settings.key_poll_seconds))
        try:
            yield changes.followed, changes
        finally:
            await end(keeping)
            await changes.followed.stop()


def ring_changes(settings: AuthSettings, ssm: SSMClient, backends: Backends) -> RingChanges:
    """The ring, not followed yet."""
    path = settings.effective_signing_keys_path
    assert path is not None  # noqa: S101 - the settings see to it, where there is no key in them
    rings, private_keys = KeyRings(backends.dynamodb, settings.table_prefix), PrivateKeys(ssm, path)
    timing, others, revoked = ring_timing(settings), load_other_keys(settings), backends.feed.revoked
    followed = FollowedRing(rings, private_keys, revoked, timing, poll_seconds=settings.key_poll_seconds, others=others)
    return RingChanges(followed, rings, private_keys, timing, settings.signing_algorithm, clock.now, clock.monotonic)


def ring_timing(settings: AuthSettings) -> RingTiming:
    """How the settings say it.

    A verifier, and a cache before it, may each have fetched the key set just before a key came into it; and each auth
    publishes it only once it has looked at the ring.
    """
    poll = settings.key_poll_seconds
    return RingTiming(
        lead_seconds=2 * max(1, settings.jwks_max_age_seconds) + _POLLS_UNTIL_ALL_PUBLISH * poll,
        view_seconds=_POLLS_OF_A_VIEW * poll,
        rotation_seconds=settings.key_rotation_seconds or None,
        token_seconds=settings.effective_access_ttl_seconds,
        clock_skew_seconds=settings.clock_skew_seconds,
    )


async def _keep(keep: KeepKeys, every_seconds: float) -> None:
    """Every auth does it; there is no leader that could be missing."""
    failure = ""
    while True:
        await asyncio.sleep(every_seconds)  # at first for the ring to be read
        try:
            await keep()
        except Exception as error:
            if repr(error) != failure:  # each is told once: in an outage every look fails
                log.warning("key_ring_not_looked_after", error=repr(error), exc_info=not isinstance(error, Unavailable))
            failure = repr(error)
        else:
            if failure:
                log.info("key_ring_looked_after_again")
            failure = ""
