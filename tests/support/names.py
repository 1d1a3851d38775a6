"""Names that no other test has."""

import secrets


def unique_name(prefix: str) -> str:
    """`prefix` and 10 hex letters: short enough for a bucket, a table's prefix and a queue."""
    return f"{prefix}-{secrets.token_hex(5)}"
