"""The flows of API keys and of token exchange."""

from dataclasses import dataclass

from services.auth.composition.parts import Parts
from services.auth.flows.create_api_key import CreateApiKey
from services.auth.flows.delete_api_key import DeleteApiKey
from services.auth.flows.exchange_api_key import ExchangeApiKey
from services.auth.flows.exchange_token import ExchangeToken
from services.auth.flows.list_api_keys import ListApiKeys


@dataclass(frozen=True, slots=True)
class ApiKeyFlows:
    create: CreateApiKey
    list: ListApiKeys
    delete: DeleteApiKey
    exchange: ExchangeApiKey
    exchange_token: ExchangeToken


def api_key_flows(parts: Parts) -> ApiKeyFlows:
    api_keys, audit, now = parts.api_keys, parts.backends.audit, parts.now
    return ApiKeyFlows(
        create=CreateApiKey(api_keys, parts.backends.patient_reads, audit, now),
        list=ListApiKeys(api_keys, now),
        delete=DeleteApiKey(parts.ending_api_keys, now),
        exchange=ExchangeApiKey(
            parts.authentication,
            api_keys,
            parts.users,
            parts.backends.patient_reads,
            parts.access_tokens,
            audit,
            now,
        ),
        exchange_token=ExchangeToken(parts.authentication, parts.issuers_verifier, parts.access_tokens, audit, now),
    )
