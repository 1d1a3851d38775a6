"""Access tokens for tests: a key set of its own, and tokens that say whatever a test wants."""

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from shared import clock
from shared.ids import new_id
from shared.tokens.claims import VerificationPolicy
from shared.tokens.compact import ACCESS_TOKEN_TYPE
from shared.tokens.keyset import KeySet, public_jwks
from shared.tokens.signature import Algorithm, SigningKey, build_signing_key, sign


def new_signing_key(alg: Algorithm = "RS256", kid: str | None = None) -> SigningKey:
    """A fresh private key, as auth would generate one."""
    private = rsa.generate_private_key(65537, 2048) if alg == "RS256" else ec.generate_private_key(ec.SECP256R1())
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return build_signing_key(pem, alg, kid or new_id("key"))


class TokenFactory:
    """Mints access tokens like auth's. `key` signs; `policy` is the verifier's side."""

    def __init__(
        self, *, alg: Algorithm = "RS256", issuer: str = "http://127.0.0.1:8001", audience: str = "mayfly"
    ) -> None:
        self.key = new_signing_key(alg)
        self.policy = VerificationPolicy(issuer=issuer, audience=audience)

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """What auth would publish at `/.well-known/jwks.json`."""
        return public_jwks([self.key])

    def key_set(self) -> KeySet:
        return KeySet.parse(self.jwks())

    def claims(self, **overrides: object) -> dict[str, object]:
        """A user's claims, issued now for 15 minutes. An override of None takes the claim out."""
        now = int(clock.now())
        claims: dict[str, object] = {
            "iss": self.policy.issuer,
            "sub": "usr_ada",
            "aud": self.policy.audience,
            "client_id": "mayfly-first-party",
            "jti": new_id("tok"),
            "iat": now,
            "exp": now + 900,
            "scope": "jobs:read jobs:write",
            "sid": new_id("ses"),
            "roles": ["user"],
            "username": "ada",
            **overrides,
        }
        return {name: value for name, value in claims.items() if value is not None}

    def mint(self, **overrides: object) -> str:
        """A signed access token with these claims."""
        return sign({"typ": ACCESS_TOKEN_TYPE}, self.claims(**overrides), self.key)
