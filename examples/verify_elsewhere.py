"""How somebody else's service verifies our access tokens: it knows the issuer's address, and nothing else of ours.

    python examples/verify_elsewhere.py TOKEN [ISSUER]

Needs httpx and PyJWT[crypto]. Keys are kept by PyJWT, lists for as long as they say (`ttl`).
"""

import base64
import sys
import time
import zlib
from typing import Any

import httpx
import jwt


class Verifier:
    """For the tokens of one issuer. Everything that it refuses is a `jwt.PyJWTError`."""

    def __init__(self, issuer: str, audience: str) -> None:
        self.issuer, self.audience = issuer, audience
        self.keys = jwt.PyJWKClient(f"{issuer}/.well-known/jwks.json")
        self.lists: dict[str, tuple[float, dict[str, Any]]] = {}

    def claims_of(self, token: str) -> dict[str, Any]:
        """The claims of a token that is good, and not revoked."""
        claims = self.verified(token, "at+jwt", ("aud", "client_id", "jti", "status"))
        place = claims["status"]["status_list"]
        status_list = self.list_at(place["uri"])["status_list"]
        text, bits, index = status_list["lst"], status_list["bits"], place["idx"]
        states = zlib.decompress(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        if not 0 <= index < len(states) * 8 // bits or states[index * bits // 8] >> index * bits % 8 & (1 << bits) - 1:
            raise jwt.InvalidTokenError("the token is revoked")
        return claims

    def list_at(self, uri: str) -> dict[str, Any]:
        """The claims of the list: a kept one, or a new one when that is too old."""
        now = time.monotonic()  # noqa: TID251 - this is not our code, but what others write
        fetched_at, claims = self.lists.get(uri, (now, {"ttl": 0}))
        if now >= fetched_at + claims["ttl"]:
            answer = httpx.get(uri, headers={"accept": "application/statuslist+jwt"}).raise_for_status()
            fetched_at, claims = now, self.verified(answer.text, "statuslist+jwt", ("status_list", "ttl"))
            if claims["sub"] != uri:
                raise jwt.InvalidTokenError("the list of another address")
            self.lists[uri] = fetched_at, claims
        return claims

    def verified(self, token: str, kind: str, required: tuple[str, ...]) -> dict[str, Any]:
        """The payload of a JWT of this type that the issuer signed, and that has not expired."""
        key = self.keys.get_signing_key_from_jwt(token)
        required = "iss", "sub", "iat", "exp", *required
        parsed = jwt.decode_complete(
            token,
            key,
            algorithms=["RS256", "ES256"],
            issuer=self.issuer,
            audience=self.audience if "aud" in required else None,
            options={"require": list(required)},
        )
        if parsed["header"].get("typ") != kind:
            raise jwt.InvalidTokenError(f"not of the type {kind}")
        claims: dict[str, Any] = parsed["payload"]
        return claims


if __name__ == "__main__":
    try:
        token, issuer = [*sys.argv[1:], "http://127.0.0.1:8001"][:2]
        print("good:", Verifier(issuer, "mayfly").claims_of(token)["sub"])
    except jwt.PyJWTError as refusal:
        sys.exit(f"refused: {refusal}")
