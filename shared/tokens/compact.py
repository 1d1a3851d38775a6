"""The compact form of a signed token (RFC 7515 §7.1), read in exactly one way. Pure; no key is needed here.

What two readers could take differently is refused before anything is decoded: a revocation, a cache or a log that
goes by a token's text would otherwise miss the same token in another spelling.
"""

import binascii

from shared.tokens.claims import InvalidToken
from shared.tokens.strict_json import NotStrictJson, parse_object

MAX_TOKEN_BYTES = 4096
ACCESS_TOKEN_TYPE = "at+jwt"  # noqa: S105 - RFC 9068 §2.1: a media type

_MAX_KEY_ID_LETTERS = 200
_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_TO_URL = bytes.maketrans(b"+/", b"-_")
# base64url to base64; what only base64 has becomes what neither has.
_FROM_URL = bytes.maketrans(b"-_+/=", b"+/!!!")
# By length modulo 4: what to add, and which last letter carries no bits beyond the last byte (RFC 4648 §3.5).
_ENDS: tuple[tuple[bytes, frozenset[int]], ...] = (
    (b"", frozenset(_BASE64)),
    (b"", frozenset()),
    (b"==", frozenset(_BASE64[::16])),
    (b"=", frozenset(_BASE64[::4])),
)
_HEADER_MEMBERS = frozenset({"typ", "alg", "kid"})
_ALGORITHMS = frozenset({"RS256", "ES256"})


def token_bytes(raw_token: str) -> bytes:
    """The token as it came; refused when it is longer than `MAX_TOKEN_BYTES` or not ASCII."""
    if len(raw_token) > MAX_TOKEN_BYTES:
        raise InvalidToken("too-long")
    try:
        return raw_token.encode("ascii")
    except UnicodeEncodeError:
        raise InvalidToken("malformed") from None


def split_token(raw_token: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    """A token in parts: the signing input, and the segments header, payload, signature.

    The signing input is as it came; the segments are for `decode_segment`, which finds out whether they can be read.
    """
    segments = raw_token.translate(_FROM_URL).split(b".")
    if len(segments) != 3:  # noqa: PLR2004 - a token has three
        raise InvalidToken("malformed")
    header, payload, signature = segments
    return raw_token[: -len(signature) - 1], header, payload, signature


def decode_segment(segment: bytes) -> bytes:
    """The bytes of a segment out of `split_token`; refused unless it is the only way to write them."""
    padding, last_letters = _ENDS[len(segment) & 3]
    if not segment or segment[-1] not in last_letters:
        raise InvalidToken("malformed")
    try:
        return binascii.a2b_base64(segment + padding, strict_mode=True)
    except binascii.Error:
        raise InvalidToken("malformed") from None


def decode_base64url(text: bytes) -> bytes:
    """The bytes that base64url without padding spells; refused unless it is the only way to write them."""
    return decode_segment(text.translate(_FROM_URL))


def encode_base64url(value: bytes) -> bytes:
    """base64url without padding (RFC 7515 §2)."""
    return binascii.b2a_base64(value, newline=False).rstrip(b"=").translate(_TO_URL)


def parse_payload(segment: bytes) -> dict[str, object]:
    """The payload's JSON object; nothing in it is believed yet."""
    try:
        return parse_object(decode_segment(segment))
    except NotStrictJson:
        raise InvalidToken("malformed") from None


def parse_header(segment: bytes, token_type: str) -> tuple[str, str]:
    """The `kid` and `alg` of the header of a token of this type: no token is taken for one of another kind.

    Exactly `typ`, `alg` and `kid` may stand there. That settles `crit`, `b64`, `jku`, `jwk`, `x5u`, `x5c`, `zip` and
    whatever is registered next: a header that wants more of us than we do is refused, never half understood.
    """
    header = parse_payload(segment)
    if header.keys() != _HEADER_MEMBERS:
        raise InvalidToken("unsupported-header")
    kind, algorithm, key_id = header["typ"], header["alg"], header["kid"]
    if type(kind) is not str or kind.lower().removeprefix("application/") != token_type:
        raise InvalidToken("wrong-type")
    if type(algorithm) is not str or algorithm not in _ALGORITHMS:
        raise InvalidToken("unsupported-algorithm")
    if type(key_id) is not str or not 0 < len(key_id) <= _MAX_KEY_ID_LETTERS:
        raise InvalidToken("unsupported-header")
    return key_id, algorithm


def check_form(raw_token: bytes) -> None:
    """Returns for what may be an access token of ours: only a key can tell. Whatever else is refused."""
    _, header, payload, signature = split_token(raw_token)
    parse_header(header, ACCESS_TOKEN_TYPE)
    parse_payload(payload)
    decode_segment(signature)
