"""How somebody else's service verifies our access tokens: it knows the issuer's address, and nothing else of ours.

    python examples/verify_elsewhere.py TOKEN [ISSUER]

Needs httpx and PyJWT[crypto]. Keys are kept by PyJWT, lists for half a minute. What is refused raises a PyJWTError.
"""

import base64
import functools
import sys
import time
import zlib
from typing import Any

import httpx
import jwt

ISSUER = [*sys.argv, "http://127.0.0.1:8001"][2]
KEYS = jwt.PyJWKClient(f"{ISSUER}/.well-known/jwks.json")


def verified(
    token: str, kind: str, required: str, audience: str | None = None, subject: str | None = None
) -> dict[str, Any]:
    key = KEYS.get_signing_key_from_jwt(token)
    options: Any = {"require": ["iss", "sub", "iat", "exp", required]}
    parsed = jwt.decode_complete(
        token, key, ["RS256", "ES256"], options, issuer=ISSUER, audience=audience, subject=subject
    )
    if parsed["header"].get("typ") != kind:
        raise jwt.InvalidTokenError(f"not of the type {kind}")
    return dict(parsed["payload"])


@functools.lru_cache
def status_list(uri: str, _half_minute: int) -> bytes:
    claims = verified(httpx.get(uri).raise_for_status().text, "statuslist+jwt", "status_list", subject=uri)
    return zlib.decompress(base64.urlsafe_b64decode(claims["status_list"]["lst"] + "=="))


def claims_of(token: str) -> dict[str, Any]:
    claims = verified(token, "at+jwt", "status", audience="mayfly")
    uri, index = (claims["status"]["status_list"][name] for name in ("uri", "idx"))
    states = status_list(uri, int(time.time() // 30))  # noqa: TID251 - this is not our code, but what others write
    if not 0 <= index < len(states) * 8 or states[index // 8] >> index % 8 & 1:
        raise jwt.InvalidTokenError("the token is revoked")
    return claims


if __name__ == "__main__":
    try:
        print("good:", claims_of(sys.argv[1])["sub"])
    except jwt.PyJWTError as refusal:
        sys.exit(f"refused: {refusal}")
