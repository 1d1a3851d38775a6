"""Pages of the list of clients: a cursor says behind which client to go on."""

import base64
import binascii

from services.auth.domain.registration import may_be_client_id
from shared.errors import FieldError, ValidationFailed


def cursor_of(client_id: str) -> str:
    """Opaque to whoever lists."""
    return base64.urlsafe_b64encode(client_id.encode()).decode().rstrip("=")


def parse_cursor(raw_cursor: str) -> str:
    """The other way of `cursor_of`. Raises ValidationFailed: we never gave that."""
    try:
        padded = raw_cursor + "=" * (-len(raw_cursor) % 4)
        text = base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        text = ""
    if not may_be_client_id(text):
        detail = "cursor: not one that we gave; begin without a cursor"
        raise ValidationFailed(detail, errors=[FieldError("cursor", detail)])
    return text
