"""Proof Key for Code Exchange (RFC 7636), with S256 alone: who redeems a code is who asked for it."""

import base64
import hashlib
import hmac
import re

from services.auth.domain.oauth_errors import InvalidOAuthRequest

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}\Z")  # a SHA-256 in base64url
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}\Z")  # §4.1

METHOD = "S256"


def parse_challenge(raw_challenge: str | None, raw_method: str | None) -> str:
    """Every client must send one (RFC 9700 §2.1.1). Without a method it would be `plain`, which proves nothing.

    Raises:
        InvalidOAuthRequest: there is none, or it is not made by S256.
    """
    if raw_challenge is None:
        raise InvalidOAuthRequest("code_challenge is missing: PKCE (RFC 7636) is needed here.")
    if raw_method != METHOD:
        raise InvalidOAuthRequest(f"code_challenge_method: {METHOD} alone.")
    if not _CHALLENGE.match(raw_challenge):
        raise InvalidOAuthRequest("code_challenge: 43 characters of base64url, the SHA-256 of the verifier.")
    return raw_challenge


def fits(challenge: str, raw_verifier: str) -> bool:
    """Whether the challenge was made of this verifier (§4.6)."""
    if not _VERIFIER.match(raw_verifier):
        return False
    made = base64.urlsafe_b64encode(hashlib.sha256(raw_verifier.encode("ascii")).digest()).decode().rstrip("=")
    return hmac.compare_digest(made, challenge)
