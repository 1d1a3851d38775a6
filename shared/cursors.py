"""Pages of a list: a cursor says behind what to go on. It is opaque to clients, and tells no secret."""

import base64
import binascii
import re

from shared.errors import FieldError, ValidationFailed


def cursor_of(position: str) -> str:
    return base64.urlsafe_b64encode(position.encode()).decode().rstrip("=")


def parse_cursor(raw_cursor: str, position: re.Pattern[str]) -> str:
    """The position, if it is one of this list's.

    Raises:
        ValidationFailed: we never gave that.
    """
    try:
        padded = raw_cursor + "=" * (-len(raw_cursor) % 4)
        text = base64.b64decode(padded, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        text = ""
    if position.fullmatch(text) is None:
        detail = "cursor: not one that we gave; begin without a cursor"
        raise ValidationFailed(detail, errors=[FieldError("cursor", detail)])
    return text
