"""The flows of tokens that are given to clients, and of what ends tokens."""

from dataclasses import dataclass

from services.auth.composition.parts import Parts
from services.auth.flows.issue_client_token import IssueClientToken
from services.auth.flows.revoke_target import RevokeTarget
from services.auth.flows.revoke_token import NothingRevoked, RevokeToken
from shared.tokens.verifier import Verifier


@dataclass(frozen=True, slots=True)
class TokenFlows:
    issue_to_client: IssueClientToken
    revoke: RevokeToken
    revoke_target: RevokeTarget


def token_flows(parts: Parts) -> TokenFlows:
    # A revoked token may be revoked again.
    any_verifier = Verifier(parts.key_source, NothingRevoked(), parts.policy, cache_size=0)
    return TokenFlows(
        issue_to_client=IssueClientToken(parts.authentication, parts.access_tokens, parts.backends.audit, parts.now),
        revoke=RevokeToken(parts.authentication, parts.sessions, parts.ending, any_verifier, parts.now),
        revoke_target=RevokeTarget(parts.sessions, parts.ending, parts.ending_api_keys, parts.now),
    )
