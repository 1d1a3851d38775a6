import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.tokens.claims import InvalidToken
from shared.tokens.compact import (
    ACCESS_TOKEN_TYPE,
    MAX_TOKEN_BYTES,
    decode_base64url,
    encode_base64url,
    parse_header,
    split_token,
    token_bytes,
)

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def segment(json_text: str) -> bytes:
    return split_token(encode_base64url(json_text.encode()) + b".e30.AA")[1]


def reason_of_header(json_text: str) -> str:
    with pytest.raises(InvalidToken) as refusal:
        parse_header(segment(json_text), ACCESS_TOKEN_TYPE)
    return refusal.value.reason


def test_a_token_is_cut_at_its_dots() -> None:
    assert split_token(b"a-.b_.cc") == (b"a-.b_", b"a+", b"b/", b"cc")
    assert split_token(b"aa.bb.") == (b"aa.bb", b"aa", b"bb", b"")


@pytest.mark.parametrize("raw", [b"", b".", b"a.b", b"a.b.c.d", b"..."])
def test_what_has_not_three_parts_is_refused(raw: bytes) -> None:
    with pytest.raises(InvalidToken, match="malformed"):
        split_token(raw)


@pytest.mark.parametrize("place", [0, 1, 3, 4, 7])
def test_a_letter_of_no_base64url_is_refused(place: int) -> None:
    for letter in set(map(chr, range(256))) - set(LETTERS):
        text = f"{LETTERS[:place]}{letter}{LETTERS[place:7]}".encode("latin-1")
        with pytest.raises(InvalidToken, match="malformed"):
            decode_base64url(text)


def test_a_token_has_four_kilobytes_at_most() -> None:
    assert token_bytes("a" * MAX_TOKEN_BYTES) == b"a" * 4096
    with pytest.raises(InvalidToken, match="too-long"):
        token_bytes("a" * (MAX_TOKEN_BYTES + 1))


@pytest.mark.parametrize("text", ["é", "a\ud800", "\N{ROCKET}"])
def test_a_token_is_ascii(text: str) -> None:
    with pytest.raises(InvalidToken, match="malformed"):
        token_bytes(text)


@given(st.binary(min_size=1))
def test_a_segment_is_what_base64url_says(value: bytes) -> None:
    encoded = encode_base64url(value)
    assert encoded == base64.urlsafe_b64encode(value).rstrip(b"=")
    assert decode_base64url(encoded) == value


@given(st.text(LETTERS).map(str.encode))
def test_bytes_have_one_spelling(encoded: bytes) -> None:
    try:
        value = decode_base64url(encoded)
    except InvalidToken:
        return
    assert encode_base64url(value) == encoded


@pytest.mark.parametrize("encoded", [b"", b"A", b"AAAAA", b"AB", b"AAB", b"_x", b"__9"])
def test_a_segment_with_bits_to_spare_is_refused(encoded: bytes) -> None:
    with pytest.raises(InvalidToken, match="malformed"):
        decode_base64url(encoded)


@pytest.mark.parametrize("kind", ["at+jwt", "application/at+jwt", "AT+JWT"])
def test_an_access_tokens_header_names_key_and_algorithm(kind: str) -> None:
    assert parse_header(segment(f'{{"typ":"{kind}","alg":"RS256","kid":"k1"}}'), ACCESS_TOKEN_TYPE) == ("k1", "RS256")


@pytest.mark.parametrize(
    "kind",
    ['"JWT"', '"rt+jwt"', '"id+jwt"', '""', "null", "7", '"application/application/at+jwt"', '["at+jwt"]', '"at+jwt "'],
)
def test_another_type_is_refused(kind: str) -> None:
    assert reason_of_header(f'{{"typ":{kind},"alg":"RS256","kid":"k1"}}') == "wrong-type"


def test_the_type_is_the_one_that_is_asked_for() -> None:
    header = segment('{"typ":"txntoken+jwt","alg":"ES256","kid":"k1"}')
    assert parse_header(header, "txntoken+jwt") == ("k1", "ES256")
    with pytest.raises(InvalidToken, match="wrong-type"):
        parse_header(header, ACCESS_TOKEN_TYPE)


@pytest.mark.parametrize(
    "algorithm",
    [
        '"none"',
        '"None"',
        '""',
        '"HS256"',
        '"RS384"',
        '"RS512"',
        '"PS256"',
        '"ES384"',
        '"EdDSA"',
        '"rs256"',
        "null",
        "1",
        "[]",
    ],
)
def test_another_algorithm_is_refused(algorithm: str) -> None:
    assert reason_of_header(f'{{"typ":"at+jwt","alg":{algorithm},"kid":"k1"}}') == "unsupported-algorithm"


@pytest.mark.parametrize("kid", ['""', "null", "1", '["k1"]', f'"{"k" * 201}"'])
def test_a_kid_is_a_short_string(kid: str) -> None:
    assert reason_of_header(f'{{"typ":"at+jwt","alg":"RS256","kid":{kid}}}') == "unsupported-header"


@pytest.mark.parametrize(
    "member",
    [
        '"crit":[]',
        '"crit":["b64"]',
        '"crit":["exp"],"exp":1',
        '"b64":false',
        '"b64":true',
        '"jku":"https://evil.test/jwks"',
        '"jwk":{"kty":"oct","k":"AA"}',
        '"x5u":"https://evil.test/cert"',
        '"x5c":["AA"]',
        '"x5t":"AA"',
        '"zip":"DEF"',
        '"cty":"JWT"',
        '"enc":"A128GCM"',
        '"anything":1',
    ],
)
def test_a_member_that_asks_for_more_is_refused(member: str) -> None:
    assert reason_of_header(f'{{"typ":"at+jwt","alg":"RS256","kid":"k1",{member}}}') == "unsupported-header"


@pytest.mark.parametrize("missing", ["typ", "alg", "kid"])
def test_a_header_is_whole(missing: str) -> None:
    members = {"typ": '"at+jwt"', "alg": '"RS256"', "kid": '"k1"'}
    text = ",".join(f'"{name}":{value}' for name, value in members.items() if name != missing)
    assert reason_of_header(f"{{{text}}}") == "unsupported-header"


@pytest.mark.parametrize(
    "text",
    [
        '{"typ":"at+jwt","alg":"none","alg":"RS256","kid":"k1"}',
        '{"typ":"at+jwt","alg":"RS256","kid":"k1","kid":"k1"}',
        "[]",
        "null",
        "{",
        '{"typ":"at+jwt","alg":"RS256","kid":"\\ud800"}',
        '{"a":' * 500 + "1" + "}" * 500,
    ],
)
def test_a_header_that_two_could_read_differently_is_refused(text: str) -> None:
    assert reason_of_header(text) in {"malformed", "unsupported-header"}
