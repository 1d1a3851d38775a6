"""What verifying a token costs beside the signature itself: ours against raw `cryptography`, in one run on one core.

"new" is a token that was never seen, with its claims checked and its revocation looked up in memory; "seen" was
verified before. PyJWT and joserfc check signature and claims, with keys that are built once, and no revocation. The
goals: a new token at 0.7 of raw RS256, a seen one in 4 us.
"""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from joserfc import jwt as joserfc_jwt
from joserfc.jwk import import_key
from joserfc.jwt import JWTClaimsRegistry
from jwt import decode

from shared.testing.tokens import TokenFactory
from shared.tokens.compact import decode_base64url
from shared.tokens.key_source import StaticKeySource
from shared.tokens.revocation import Revocation, RevokedSet, Target
from shared.tokens.revocation_status import RevocationStatus
from shared.tokens.signature import Algorithm
from shared.tokens.verifier import Caller, Verifier

ROUNDS = 15
TOKENS = 400
ALGORITHMS: tuple[Algorithm, ...] = ("RS256", "ES256")


class FreshFeed:
    """A feed that was read a moment ago."""

    def __init__(self) -> None:
        self.revoked = RevokedSet()

    def staleness(self, now_monotonic: float) -> float:
        return min(now_monotonic, 0.1)


class NeverAsked:
    async def read(self, targets: Sequence[Target]) -> Iterable[Revocation]:
        raise AssertionError(targets)


def new_verifier(tokens: TokenFactory) -> Verifier:
    revocations = RevocationStatus(FreshFeed(), NeverAsked(), max_staleness_seconds=2)
    return Verifier(StaticKeySource(tokens.key_set()), revocations, tokens.policy)


def raw_verifications(tokens: TokenFactory, minted: list[str]) -> list[Callable[[], None]]:
    """`cryptography` alone: keys built, texts decoded, nothing left but the signature."""
    public = tokens.key.prepared.prepared_key.public_key()
    if tokens.key.alg == "RS256":
        extra: tuple[object, ...] = (padding.PKCS1v15(), hashes.SHA256())
    else:
        extra = (ec.ECDSA(hashes.SHA256()),)
    calls: list[Callable[[], None]] = []
    for token in minted:
        signing_input, _, segment = token.encode().rpartition(b".")
        signature = decode_base64url(segment)
        if tokens.key.alg == "ES256":
            signature = encode_dss_signature(int.from_bytes(signature[:32]), int.from_bytes(signature[32:]))
        calls.append(partial(public.verify, signature, signing_input, *extra))
    return calls


def raw_seconds(calls: list[Callable[[], None]]) -> float:
    began = time.process_time()
    for call in calls:
        call()
    return time.process_time() - began


async def verify_seconds(verify: Callable[[str], Awaitable[Caller]], minted: list[str]) -> float:
    began = time.process_time()
    for token in minted:
        await verify(token)
    return time.process_time() - began


def library_verifications(tokens: TokenFactory, minted: list[str]) -> dict[str, list[Callable[[], None]]]:
    """The same tokens, with other libraries, as their documentation uses them."""
    public = tokens.key.prepared.prepared_key.public_key()
    policy, key = tokens.policy, import_key(dict(tokens.key.public_jwk))
    required = JWTClaimsRegistry(
        iss={"essential": True, "value": policy.issuer},
        aud={"essential": True, "value": str(policy.audience)},
        exp={"essential": True},
    )

    def pyjwt(token: str) -> None:
        decode(token, public, algorithms=[tokens.key.alg], issuer=policy.issuer, audience=policy.audience)

    def joserfc(token: str) -> None:
        required.validate(joserfc_jwt.decode(token, key, algorithms=[tokens.key.alg]).claims)

    return {library.__name__: [partial(library, token) for token in minted] for library in (pyjwt, joserfc)}


async def measure(alg: Algorithm) -> dict[str, float]:
    """Microseconds of CPU for one token, the median of rounds that take turns."""
    tokens = TokenFactory(alg=alg)
    minted = [tokens.mint() for _ in range(TOKENS)]
    calls = raw_verifications(tokens, minted)
    libraries = library_verifications(tokens, minted)
    rounds: dict[str, list[float]] = {"raw": [], "new": [], "seen": [], **{name: [] for name in libraries}}
    for _ in range(ROUNDS):
        verifier = new_verifier(tokens)
        await verifier.verify(tokens.mint())  # the header is known, as it is after a process's first token
        rounds["raw"].append(raw_seconds(calls))
        rounds["new"].append(await verify_seconds(verifier.verify, minted))
        rounds["seen"].append(await verify_seconds(verifier.verify, minted))
        for name, library_calls in libraries.items():
            rounds[name].append(raw_seconds(library_calls))
    return {name: statistics.median(values) / TOKENS * 1e6 for name, values in rounds.items()}


def main() -> None:
    print("CPU of one verification (median of rounds); share: what raw cryptography would take, of what we take")
    for alg in ALGORITHMS:
        medians = asyncio.run(measure(alg))
        goals = {"new": "goal >= 0.70" if alg == "RS256" else "", "seen": "goal <= 4 us"}
        for name, median in medians.items():
            share, goal = medians["raw"] / median, goals.get(name, "")
            print(f"  {alg} {name:7} {median:7.2f} us   {1e6 / median:9,.0f}/s   {share:6.2f}   {goal}")


if __name__ == "__main__":
    main()
