"""`application/x-www-form-urlencoded`, as OAuth wants it: RFC 6749 section 3.2 forbids repeated parameters.

The standard library parses the format; a form package would read it leniently and take the last of two.
"""

from urllib.parse import parse_qsl

from fastapi import Request

from shared.errors import InvalidRequest

MEDIA_TYPE = "application/x-www-form-urlencoded"
_MOST_FIELDS = 50


async def read_form(request: Request) -> dict[str, str]:
    """The fields of the body. A field without a value counts as absent (RFC 6749 section 3.2).

    Raises:
        InvalidRequest: another media type, not UTF-8, a field twice, NUL, too many fields.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != MEDIA_TYPE:
        raise InvalidRequest(f"Send the parameters as {MEDIA_TYPE}.")
    try:
        text = (await request.body()).decode("ascii")
        pairs = parse_qsl(text, keep_blank_values=False, max_num_fields=_MOST_FIELDS, errors="strict")
    except ValueError:
        raise InvalidRequest("The form can't be read: it must be percent-encoded UTF-8 of at most 50 fields.") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise InvalidRequest("A parameter is given more than once.")
    if any("\0" in part for pair in pairs for part in pair):
        raise InvalidRequest("A parameter contains NUL.")
    return fields
