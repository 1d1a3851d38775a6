"""Pages of a list: a cursor says behind which job to go on."""

import base64
import binascii
import re

from shared.errors import FieldError, ValidationFailed

_LISTING_KEY = re.compile(r"[0-9]{13}#[A-Za-z0-9][A-Za-z0-9._-]{0,127}", re.ASCII)


def cursor_of(listing_key: str) -> str:
    """Opaque to clients. It tells nothing but the owner's own job, and works only in the owner's list."""
    return base64.urlsafe_b64encode(listing_key.encode()).decode().rstrip("=")


def parse_cursor(raw_cursor: str) -> str:
    """The other way of `cursor_of`.

    Raises:
        ValidationFailed: we never gave that.
    """
    try:
        padded = raw_cursor + "=" * (-len(raw_cursor) % 4)
        text = base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        text = ""
    if _LISTING_KEY.fullmatch(text) is None:
        detail = "cursor: not one that we gave; begin without a cursor"
        raise ValidationFailed(detail, errors=[FieldError("cursor", detail)])
    return text
