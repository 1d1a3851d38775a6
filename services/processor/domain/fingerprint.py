"""One text and one hash for equal JSON values, however their members were ordered and spaced."""

import hashlib
import json


def canonical_json(value: object) -> str:
    """JSON with sorted members, no spaces, and text as it is. Fit for hashing and for storing."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def fingerprint(text: str) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()
