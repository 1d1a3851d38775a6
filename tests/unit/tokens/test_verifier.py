"""What the verifier remembers, and what it asks again each time."""

from collections.abc import Awaitable, Callable

import pytest
from prometheus_client import REGISTRY

from shared import clock
from shared.errors import Unavailable
from shared.testing.tokens import TokenFactory, new_signing_key
from shared.tokens.claims import Claims, InvalidToken
from shared.tokens.key_source import StaticKeySource
from shared.tokens.keyset import KeySet, public_jwks
from shared.tokens.signature import SigningKey, sign
from shared.tokens.verifier import Verifier
from tests.unit.tokens.conftest import NothingRevoked

EXPIRES = 900


class Moment:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.seconds = float(int(clock.now()))

    def __call__(self) -> float:
        return self.seconds


class SomeRevoked:
    def __init__(self) -> None:
        self.jtis: set[str] = set()
        self.asked = 0
        self.down = False

    async def is_revoked(self, claims: Claims) -> bool:
        self.asked += 1
        if self.down:
            raise Unavailable("nobody knows")
        return claims.jti in self.jtis


class ChangingSource:
    """The set in force is the one that the test puts there."""

    def __init__(self, key_set: KeySet) -> None:
        self.key_set = key_set

    def current(self) -> KeySet:
        return self.key_set

    async def look_for(self, kid: str) -> KeySet:
        return self.key_set


class RotatedSource(ChangingSource):
    """Has a newer set than `current` shows, until somebody looks for a key."""

    def __init__(self, old: KeySet, new: KeySet) -> None:
        super().__init__(old)
        self._new = new
        self.looked_for: list[str] = []

    async def look_for(self, kid: str) -> KeySet:
        self.looked_for.append(kid)
        self.key_set = self._new
        return self._new


class NoKeys:
    """As before the first fetch."""

    def current(self) -> KeySet:
        raise Unavailable("there are no keys")

    async def look_for(self, kid: str) -> KeySet:
        raise Unavailable(f"whether there is {kid} can't be known")


def outcomes(outcome: str) -> float:
    return REGISTRY.get_sample_value("mayfly_token_verifications_total", {"outcome": outcome}) or 0


async def refused(verifier: Verifier, token: str) -> str:
    with pytest.raises(InvalidToken) as refusal:
        await verifier.verify(token)
    return refusal.value.reason


async def test_a_good_token_names_its_caller(verifier: Verifier, tokens: TokenFactory) -> None:
    caller = await verifier.verify(tokens.mint(sub="usr_grace", scope="jobs:read", sid="ses_7"))
    assert (caller.user_id, caller.scope, caller.session_id) == ("usr_grace", frozenset({"jobs:read"}), "ses_7")


async def test_a_caller_is_known_with_the_key_that_signed(verifier: Verifier, tokens: TokenFactory) -> None:
    assert (await verifier.verify(tokens.mint())).claims.kid == tokens.key.kid


async def test_an_elliptic_token_is_as_good(ec_verifier: Verifier, ec_tokens: TokenFactory) -> None:
    assert (await ec_verifier.verify(ec_tokens.mint())).user_id == "usr_ada"


async def test_a_token_that_was_seen_is_not_verified_again(verifier: Verifier, tokens: TokenFactory) -> None:
    token = tokens.mint()
    assert await verifier.verify(token) is await verifier.verify(token)


async def test_a_token_that_was_seen_still_expires(tokens: TokenFactory) -> None:
    moment = Moment()
    verifier = Verifier(StaticKeySource(tokens.key_set()), NothingRevoked(), tokens.policy, now=moment)
    token = tokens.mint(iat=int(moment()), exp=int(moment()) + EXPIRES)
    await verifier.verify(token)
    moment.seconds += EXPIRES - 0.001
    await verifier.verify(token)
    moment.seconds += 0.001
    assert await refused(verifier, token) == "expired"
    assert await refused(verifier, token) == "expired"


async def test_a_token_that_was_seen_is_still_revoked(tokens: TokenFactory) -> None:
    revoked = SomeRevoked()
    verifier = Verifier(StaticKeySource(tokens.key_set()), revoked, tokens.policy)
    token = tokens.mint(jti="tok_1")
    await verifier.verify(token)
    revoked.jtis.add("tok_1")
    assert await refused(verifier, token) == "revoked"
    assert revoked.asked == 2


async def test_a_refused_token_is_not_remembered(tokens: TokenFactory) -> None:
    revoked = SomeRevoked()
    revoked.jtis.add("tok_1")
    verifier = Verifier(StaticKeySource(tokens.key_set()), revoked, tokens.policy)
    token = tokens.mint(jti="tok_1")
    assert await refused(verifier, token) == "revoked"
    revoked.jtis.clear()
    assert (await verifier.verify(token)).claims.jti == "tok_1"


async def test_what_can_not_be_known_is_not_refused(tokens: TokenFactory) -> None:
    revoked = SomeRevoked()
    revoked.down = True
    verifier = Verifier(StaticKeySource(tokens.key_set()), revoked, tokens.policy)
    before = outcomes("unavailable")
    with pytest.raises(Unavailable):
        await verifier.verify(tokens.mint())
    assert outcomes("unavailable") == before + 1


async def test_a_key_that_goes_takes_its_tokens_along(tokens: TokenFactory) -> None:
    source = ChangingSource(tokens.key_set())
    verifier = Verifier(source, NothingRevoked(), tokens.policy)
    token = tokens.mint()
    await verifier.verify(token)
    source.key_set = KeySet.parse(public_jwks([new_signing_key("ES256")]))
    assert await refused(verifier, token) == "unknown-key"


async def test_without_keys_a_good_token_is_not_refused(tokens: TokenFactory) -> None:
    verifier = Verifier(NoKeys(), NothingRevoked(), tokens.policy)
    for token in (tokens.mint(), tokens.mint(exp=1)):
        with pytest.raises(Unavailable):
            await verifier.verify(token)


@pytest.mark.parametrize(
    ("form", "reason"),
    [
        ("nonsense", "malformed"),
        ("a.b.c", "malformed"),
        ("Ω", "malformed"),
        ("{header}.{payload}.", "malformed"),
        ("{header}.{payload}.{signature}=", "malformed"),
        ("{header}.!{payload}.{signature}", "malformed"),
        ("{header}.{payload}.{signature}" + "A" * 4096, "too-long"),
        ("eyJhbGciOiJub25lIn0.{payload}.{signature}", "unsupported-header"),
    ],
)
async def test_without_keys_what_has_no_tokens_form_is_refused(tokens: TokenFactory, form: str, reason: str) -> None:
    header, payload, signature = tokens.mint().split(".")
    token = form.format(header=header, payload=payload, signature=signature)
    assert await refused(Verifier(NoKeys(), NothingRevoked(), tokens.policy), token) == reason


class RotatingMeanwhile:
    """While the first token's revocation is looked up, a second one is verified by new keys."""

    def __init__(self) -> None:
        self.meanwhile: list[Callable[[], Awaitable[object]]] = []

    async def is_revoked(self, claims: Claims) -> bool:
        if self.meanwhile:
            await self.meanwhile.pop()()
        return False


async def test_a_token_is_not_remembered_beyond_its_keys(tokens: TokenFactory) -> None:
    others = TokenFactory(alg="ES256")
    source, revocations = ChangingSource(tokens.key_set()), RotatingMeanwhile()
    verifier = Verifier(source, revocations, tokens.policy)

    async def rotate() -> None:
        source.key_set = others.key_set()
        await verifier.verify(others.mint())

    token = tokens.mint()
    revocations.meanwhile.append(rotate)
    await verifier.verify(token)
    assert await refused(verifier, token) == "unknown-key"


async def test_a_key_with_the_same_name_is_another_key(tokens: TokenFactory) -> None:
    source = ChangingSource(tokens.key_set())
    verifier = Verifier(source, NothingRevoked(), tokens.policy)
    token = tokens.mint()
    await verifier.verify(token)
    source.key_set = KeySet.parse(public_jwks([new_signing_key("RS256", tokens.key.kid)]))
    assert await refused(verifier, token) == "bad-signature"


async def test_an_unknown_key_is_looked_for_once(tokens: TokenFactory) -> None:
    new_key: SigningKey = new_signing_key("ES256")
    source = RotatedSource(tokens.key_set(), KeySet.parse(public_jwks([tokens.key, new_key])))
    verifier = Verifier(source, NothingRevoked(), tokens.policy)
    await verifier.verify(sign({"typ": "at+jwt"}, tokens.claims(), new_key))
    await verifier.verify(sign({"typ": "at+jwt"}, tokens.claims(), new_key))
    await verifier.verify(tokens.mint())
    assert source.looked_for == [new_key.kid]


async def test_a_known_key_with_a_wrong_algorithm_is_not_looked_for(tokens: TokenFactory) -> None:
    source = RotatedSource(tokens.key_set(), tokens.key_set())
    verifier = Verifier(source, NothingRevoked(), tokens.policy)
    namesake = new_signing_key("ES256", tokens.key.kid)
    assert await refused(verifier, sign({"typ": "at+jwt"}, tokens.claims(), namesake)) == "unsupported-algorithm"
    assert source.looked_for == []


async def test_the_oldest_token_is_forgotten_first(tokens: TokenFactory) -> None:
    verifier = Verifier(StaticKeySource(tokens.key_set()), NothingRevoked(), tokens.policy, cache_size=2)
    first, second, third = (tokens.mint() for _ in range(3))
    caller = await verifier.verify(first)
    kept = await verifier.verify(second)
    await verifier.verify(first)
    await verifier.verify(third)
    assert await verifier.verify(first) is caller
    assert await verifier.verify(second) is not kept
    assert len(verifier._callers) == 2


async def test_a_stranger_adds_no_header_to_the_map(tokens: TokenFactory) -> None:
    verifier = Verifier(StaticKeySource(tokens.key_set()), NothingRevoked(), tokens.policy)
    forged = new_signing_key("RS256", tokens.key.kid)
    await refused(verifier, sign({"typ": "at+jwt"}, tokens.claims(), forged))
    assert verifier._key_by_header == {}


async def test_the_map_of_headers_is_bounded(tokens: TokenFactory) -> None:
    verifier = Verifier(StaticKeySource(tokens.key_set()), NothingRevoked(), tokens.policy)
    spellings = [f"{left}t+jwt" for left in "aA"]
    for spelling in spellings:
        await verifier.verify(sign({"typ": spelling}, tokens.claims(), tokens.key))
    assert len(verifier._key_by_header) == len(spellings)
    verifier._key_by_header = dict.fromkeys(
        map(str.encode, map(str, range(64))), next(iter(verifier._key_by_header.values()))
    )
    await verifier.verify(tokens.mint())
    assert len(verifier._key_by_header) == 64


async def test_each_outcome_is_counted(verifier: Verifier, tokens: TokenFactory) -> None:
    accepted, malformed = outcomes("accepted"), outcomes("malformed")
    await verifier.verify(tokens.mint())
    await refused(verifier, "nonsense")
    assert (outcomes("accepted"), outcomes("malformed")) == (accepted + 1, malformed + 1)
