"""Answers that caches may keep, and that are not sent again to who has them (RFC 9110 §13)."""

import hashlib
from typing import Annotated, TypeAlias

from fastapi import Header, Response, status

IfNoneMatch: TypeAlias = Annotated[str | None, Header()]


def cacheable(body: bytes, media_type: str, max_age_seconds: int, if_none_match: str | None) -> Response:
    """200 with the body, or 304 without it."""
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": f"public, max-age={max_age_seconds}"}
    if _matches(if_none_match, etag):
        return Response(status_code=status.HTTP_304_NOT_MODIFIED, headers=headers)
    return Response(body, media_type=media_type, headers=headers)


def _matches(if_none_match: str | None, etag: str) -> bool:
    """RFC 9110 §13.1.2: the weak comparison."""
    named = [part.strip().removeprefix("W/") for part in (if_none_match or "").split(",")]
    return etag in named or named == ["*"]
