"""A key set, and a verifier that trusts it and knows of no revocation."""

import pytest

from shared.testing.tokens import TokenFactory
from shared.tokens.claims import Claims
from shared.tokens.key_source import StaticKeySource
from shared.tokens.verifier import Verifier


class NothingRevoked:
    async def is_revoked(self, claims: Claims) -> bool:
        return False


@pytest.fixture(scope="session")
def tokens() -> TokenFactory:
    return TokenFactory()


@pytest.fixture(scope="session")
def ec_tokens() -> TokenFactory:
    return TokenFactory(alg="ES256")


@pytest.fixture
def verifier(tokens: TokenFactory) -> Verifier:
    return Verifier(StaticKeySource(tokens.key_set()), NothingRevoked(), tokens.policy)


@pytest.fixture
def ec_verifier(ec_tokens: TokenFactory) -> Verifier:
    return Verifier(StaticKeySource(ec_tokens.key_set()), NothingRevoked(), ec_tokens.policy)
