"""A reader of Token Status Lists, written from the draft alone: nothing of ours is in it but base64url."""

import base64
import json
import zlib
from typing import Any


def segment(token: str, number: int) -> dict[str, Any]:
    """A part of a compact JWT: 0 is the header, 1 the payload. Nothing is verified here."""
    text = token.split(".")[number]
    members: dict[str, Any] = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return members


def reference(token: str) -> tuple[str, int]:
    """Where an access token says its status stands: the list's address, and the index."""
    status = segment(token, 1)["status"]["status_list"]
    return status["uri"], status["idx"]


def status_at(list_token: str, index: int) -> int:
    """The draft's steps 5 to 7: decompress, look up; an index past the end is an error."""
    status_list = segment(list_token, 1)["status_list"]
    text = status_list["lst"]
    array = zlib.decompress(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    bits: int = status_list["bits"]
    return array[index * bits // 8] >> (index * bits % 8) & (1 << bits) - 1
