"""`application/x-www-form-urlencoded`, as OAuth wants it: RFC 6749 section 3.2 forbids repeated parameters.

The standard library parses the format; a form package would read it leniently and take the last of two.
"""

from urllib.parse import parse_qsl

from fastapi import Request

from shared.errors import InvalidRequest

MEDIA_TYPE = "application/x-www-form-urlencoded"
_MOST_FIELDS = 50


def read_query(request: Request) -> list[tuple[str, str]]:
    """The parameters of the query, repeated ones too. One without a value counts as absent (RFC 6749 section 3.1).

    Raises:
        InvalidRequest: not UTF-8, too many.
    """
    return _pairs(request.scope["query_string"], "query")


async def read_form(request: Request) -> dict[str, str]:
    """The fields of the body. A field without a value counts as absent (RFC 6749 section 3.2).

    Raises:
        InvalidRequest: another media type, not UTF-8, a field twice, NUL, too many fields.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != MEDIA_TYPE:
        raise InvalidRequest(f"Send the parameters as {MEDIA_TYPE}.")
    pairs = _pairs(await request.body(), "form")
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise InvalidRequest("A parameter is given more than once.")
    if any("\0" in part for pair in pairs for part in pair):
        raise InvalidRequest("A parameter contains NUL.")
    return fields


def _pairs(encoded: bytes, what: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(encoded.decode("ascii"), max_num_fields=_MOST_FIELDS, errors="strict")
    except ValueError:
        message = f"The {what} can't be read: it must be percent-encoded UTF-8 of at most {_MOST_FIELDS} fields."
        raise InvalidRequest(message) from None
