import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.tokens.strict_json import NotStrictJson, parse_object


def test_an_object_is_read() -> None:
    assert parse_object('{"a": {"b": [1, null, "é\\u00e9"]}}'.encode()) == {"a": {"b": [1, None, "éé"]}}


def test_a_pair_of_surrogates_is_one_character() -> None:
    assert parse_object(b'{"a": "\\ud83d\\ude80"}') == {"a": "\N{ROCKET}"}


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"{} {}",
        b"{",
        b'{"a": 1, "a": 1}',
        b'{"a": {"b": 1, "b": 2}}',
        b'{"a": [{"b": 1, "b": 2}]}',
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": -Infinity}',
        b'{"a": "\\ud800"}',
        b'{"\\udfff": 1}',
        b'{"a": "\xff"}',
        b'{"a": "\xed\xa0\x80"}',
        b"\xef\xbb\xbf{}",
        '{"a": 1}'.encode("utf-16"),
        b'{"a": "\x00"}',
        b"{'a': 1}",
        b'{"a": 1,}',
        b'{"a": ' + b"9" * 5000 + b"}",
        b'{"b": ' + b"[" * 100_000,
        b'{"a": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
        b'{"a": ' * 50_000 + b"1" + b"}" * 50_000,
    ],
    ids=lambda raw: raw[:24].hex(),
)
def test_whatever_else_is_refused(raw: bytes) -> None:
    with pytest.raises(NotStrictJson):
        parse_object(raw)


@given(st.binary() | st.text().map(lambda text: f'{{"a": {text}}}'.encode(errors="replace")))
def test_any_bytes_are_an_object_or_refused(raw: bytes) -> None:
    try:
        assert isinstance(parse_object(raw), dict)
    except NotStrictJson:
        return
