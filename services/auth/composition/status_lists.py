"""What third parties are told of revocations."""

from dataclasses import dataclass

from services.auth.composition.parts import Parts
from services.auth.domain.status_lists import Freshness
from services.auth.flows.publish_status_list import PublishStatusList
from services.auth.stores.revoked_slots import RevokedSlots
from services.auth.stores.session_tokens import SessionTokens
from services.auth.stores.status_lists import StatusLists
from shared import clock


@dataclass(frozen=True, slots=True)
class StatusListFlows:
    publish: PublishStatusList
    freshness: Freshness


def status_list_flows(parts: Parts) -> StatusListFlows:
    settings, backends = parts.settings, parts.backends
    freshness = Freshness(settings.status_list_ttl_seconds, settings.revocation_max_staleness_seconds)
    publish = PublishStatusList(
        lists=StatusLists(backends.dynamodb, settings.table_prefix),
        slots=RevokedSlots(backends.feed.revoked, SessionTokens(backends.dynamodb, settings.table_prefix)),
        feed=backends.feed,
        access_tokens=parts.access_tokens,
        freshness=freshness,
        now=parts.now,
        monotonic=clock.monotonic,
    )
    return StatusListFlows(publish, freshness)
