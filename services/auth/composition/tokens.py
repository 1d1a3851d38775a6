"""The flows of tokens that are given to clients, and of what ends tokens."""

from dataclasses import dataclass, replace

from services.auth.composition.parts import Parts
from services.auth.flows.introspect_token import IntrospectToken
from services.auth.flows.issue_client_token import IssueClientToken
from services.auth.flows.revoke_target import RevokeTarget
from services.auth.flows.revoke_token import NothingRevoked, RevokeToken
from services.auth.stores.request_budgets import RequestBudgets
from shared.tokens.verifier import Verifier


@dataclass(frozen=True, slots=True)
class TokenFlows:
    issue_to_client: IssueClientToken
    revoke: RevokeToken
    introspect: IntrospectToken
    revoke_target: RevokeTarget


def token_flows(parts: Parts) -> TokenFlows:
    # A revoked token may be revoked again.
    any_verifier = Verifier(parts.key_source, NothingRevoked(), replace(parts.policy, audience=None), cache_size=0)
    return TokenFlows(
        issue_to_client=IssueClientToken(parts.authentication, parts.access_tokens, parts.backends.audit, parts.now),
        revoke=RevokeToken(
            parts.authentication, parts.sessions, parts.ending, parts.ending_api_keys, any_verifier, parts.now
        ),
        introspect=IntrospectToken(
            authentication=parts.authentication,
            budgets=RequestBudgets(parts.settings.introspections_per_second),
            verifier=parts.issuers_verifier,
            sessions=parts.sessions,
            api_keys=parts.api_keys,
            users=parts.users,
            revocations=parts.backends.patient_reads,
            audit=parts.backends.audit,
            now=parts.now,
        ),
        revoke_target=RevokeTarget(parts.sessions, parts.ending, parts.ending_api_keys, parts.now),
    )
