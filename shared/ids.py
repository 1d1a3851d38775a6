"""Identifiers and secrets, all from the operating system's random source."""

import base64
import hashlib
import secrets


def new_id(prefix: str) -> str:
    """A name that nobody can guess and no second instance will make: `prefix_` and 128 random bits in base 32."""
    return f"{prefix}_{base64.b32encode(secrets.token_bytes(16)).decode().rstrip('=').lower()}"


def new_secret() -> str:
    """A bearer secret: 256 random bits in base64url."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """How a secret of `new_secret` is stored: SHA-256 in hexadecimal. Only a password needs a slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()
