"""The compact form of a signed token (RFC 7515 §7.1), read in exactly one way. Pure; no key is needed here.

What two readers could take differently is refused before anything is decoded: a revocation, a cache or a log that
goes by a token's text would otherwise miss the same token in another spelling.
"""

import binascii
from typing import NamedTuple

from shared.tokens.claims import InvalidToken
from shared.tokens.strict_json import NotStrictJson, parse_object

MAX_TOKEN_BYTES = 4096
ACCESS_TOKEN_TYPE = "at+jwt"  # noqa: S105 - RFC 9068 §2.1: a media type

_MAX_KEY_ID_LETTERS = 200
_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_TO_BASE64 = bytes.maketrans(b"-_", b"+/")
_TO_URL = bytes.maketrans(b"+/", b"-_")
# The last letter of a segment may carry no bits beyond the last byte (RFC 4648 §3.5).
_PADDING: dict[int, tuple[bytes, frozenset[int]]] = {
    0: (b"", frozenset(_ALPHABET)),
    1: (b"", frozenset()),
    2: (b"==", frozenset(_ALPHABET[::16])),
    3: (b"=", frozenset(_ALPHABET[::4])),
}
_HEADER_MEMBERS = frozenset({"typ", "alg", "kid"})
_TYPES = frozenset({ACCESS_TOKEN_TYPE, f"application/{ACCESS_TOKEN_TYPE}"})
_ALGORITHMS = frozenset({"RS256", "ES256"})


class CompactToken(NamedTuple):
    """A token cut at its dots. The segments are still encoded, their alphabet is checked."""

    signing_input: bytes
    header: bytes
    payload: bytes
    signature: bytes


def split_token(raw_token: bytes) -> CompactToken:
    """Cut a token that is not longer than `MAX_TOKEN_BYTES` and has three parts of base64url letters."""
    if len(raw_token) > MAX_TOKEN_BYTES:
        raise InvalidToken("too-long")
    if raw_token.translate(None, _ALPHABET) != b"..":
        raise InvalidToken("malformed")
    signing_input, _, signature = raw_token.rpartition(b".")
    header, _, payload = signing_input.partition(b".")
    return CompactToken(signing_input, header, payload, signature)


def decode_segment(segment: bytes) -> bytes:
    """The bytes of a segment out of `split_token`; refused unless it is the only way to write them."""
    padding, last_letters = _PADDING[len(segment) & 3]
    if not segment or segment[-1] not in last_letters:
        raise InvalidToken("malformed")
    return binascii.a2b_base64(segment.translate(_TO_BASE64) + padding)


def encode_segment(value: bytes) -> bytes:
    """base64url without padding (RFC 7515 §2)."""
    return binascii.b2a_base64(value, newline=False).rstrip(b"=").translate(_TO_URL)


def parse_payload(segment: bytes) -> dict[str, object]:
    """The payload's JSON object; nothing in it is believed yet."""
    try:
        return parse_object(decode_segment(segment))
    except NotStrictJson:
        raise InvalidToken("malformed") from None


def parse_header(segment: bytes) -> tuple[str, str]:
    """The `kid` and `alg` of an access token's header.

    Exactly `typ`, `alg` and `kid` may stand there. That settles `crit`, `b64`, `jku`, `jwk`, `x5u`, `x5c`, `zip` and
    whatever is registered next: a header that wants more of us than we do is refused, never half understood.
    """
    header = parse_payload(segment)
    if header.keys() != _HEADER_MEMBERS:
        raise InvalidToken("unsupported-header")
    kind, algorithm, key_id = header["typ"], header["alg"], header["kid"]
    if type(kind) is not str or kind.lower() not in _TYPES:
        raise InvalidToken("wrong-type")
    if type(algorithm) is not str or algorithm not in _ALGORITHMS:
        raise InvalidToken("unsupported-algorithm")
    if type(key_id) is not str or not 0 < len(key_id) <= _MAX_KEY_ID_LETTERS:
        raise InvalidToken("unsupported-header")
    return key_id, algorithm
