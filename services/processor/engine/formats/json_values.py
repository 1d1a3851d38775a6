"""JSON read slowly and strictly, to guess types from a sample and to say where a file is broken."""

import codecs
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from services.processor.domain.excerpts import excerpt
from services.processor.engine.formats.raw_records import Flaw, RawRecord
from services.processor.engine.formats.text_lines import measured_lines

_DEEPEST = 128
_SURROGATE = re.compile("[\ud800-\udfff]")
_SPACE = re.compile(r"[ \t\r\n]*")
_LONGEST_INTEGER = 60
_NEAR_THE_END = 32
_AT_START = "each line holds one whole object; records that span lines go into a JSON array"
Element = TypeVar("Element")


class Unreadable(Exception):  # noqa: N818 - says the fact
    """The array around the record `record` (from 1) is no JSON, so the records behind can't be told apart."""

    def __init__(self, record: int, reason: str) -> None:
        super().__init__(reason)
        self.record = record
        self.reason = reason


@dataclass(frozen=True, slots=True)
class JsonObject:
    """As written: in order, duplicates included."""

    pairs: tuple[tuple[str, object], ...]


@dataclass(frozen=True, slots=True)
class _LongInteger:
    """More digits than any type of ours holds."""


def _integer(text: str) -> int | _LongInteger:
    return int(text) if len(text) <= _LONGEST_INTEGER else _LongInteger()


def _no_constant(text: str) -> object:
    raise ValueError(f"{text} is no JSON")


_DECODER = json.JSONDecoder(
    object_pairs_hook=lambda pairs: JsonObject(tuple(pairs)), parse_int=_integer, parse_constant=_no_constant
)


def value_of(raw: RawRecord, *, largest: int) -> object:
    """Raises Flaw for what is no JSON."""
    if raw.size > largest:
        raise Flaw(f"this can't be read: it is larger than {largest >> 20} MiB")
    try:
        return _decode_one(raw.content.decode())
    except UnicodeDecodeError as error:
        reason = _encoding_reason(error)
    except ValueError as error:
        reason = str(error)
    raise Flaw(f"this can't be read: {reason}", remedy=_AT_START if raw.number == 1 else "")


def _decode_one(text: str) -> object:
    """Raises ValueError whose text is the reason."""
    try:
        value, end = _DECODER.raw_decode(text, _after_space(text, 0))
    except json.JSONDecodeError as error:
        raise ValueError(_reason(error)) from None
    except RecursionError:
        raise ValueError("it nests too deep") from None
    if _after_space(text, end) != len(text):
        raise ValueError(f'something stands behind the value: "{excerpt(text[end:].strip())}"')
    return value


def raw_lines(chunks: Iterable[bytes], *, is_whole: bool, largest: int) -> Iterator[RawRecord]:
    """NDJSON. Blank lines are no records."""
    number = byte = 0
    for line, size in measured_lines(chunks, is_whole=is_whole, most=largest):
        if line.strip():
            number += 1
            yield RawRecord(number, byte, size, line)
        byte += size + 1


def cut_array(content: bytes) -> bytes:
    """Up to the last whole element, closed again. Only for what `values_of_array` has read."""
    text = _Text([content], is_whole=False)
    end = 0
    if text.skip_space():
        for _ in _elements(text, len(content), is_whole=False):
            end = text.at
    return text.text[:end].encode() + b"]" if end else b"[]"


def unsupported(record: object) -> str | None:
    """What the engine does not take, though it is JSON."""
    found: list[tuple[object, int]] = [(record, 1)]
    while found:
        value, depth = found.pop()
        if depth > _DEEPEST:
            return f"it nests more than {_DEEPEST} deep"
        if isinstance(value, JsonObject):
            found.extend((part, depth + 1) for pair in value.pairs for part in pair)
        elif isinstance(value, list):
            found.extend((part, depth + 1) for part in value)
        elif isinstance(value, str) and not value.isascii() and _SURROGATE.search(value):
            return "half of a surrogate pair (\\ud800 to \\udfff) stands alone"
    return None


class _Text:
    """A text that grows by chunks."""

    def __init__(self, chunks: Iterable[bytes], *, is_whole: bool) -> None:
        self._chunks = iter(chunks)
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self.is_whole = is_whole
        self._error: UnicodeDecodeError | None = None
        self.text = ""
        self.at = 0
        self._known = (0, 0)
        """A place in the text, and the byte at which it stands."""

    def grow(self) -> bool:
        """False at the end."""
        if self._error is not None:
            raise self._error
        chunk = next(self._chunks, None)
        if chunk is None and not self.is_whole:
            return False
        more = self._decode(chunk or b"", final=chunk is None)
        self._known = (0, self.byte_of(self.at))
        self.text, self.at = self.text[self.at :] + more, 0
        return chunk is not None or bool(more)

    def _decode(self, chunk: bytes, *, final: bool) -> str:
        """What stands before a wrong byte may hold whole records, so the error waits for its turn."""
        try:
            return self._decoder.decode(chunk, final=final)
        except UnicodeDecodeError as error:
            self._error = error
            return str(error.object[: error.start], "utf-8") + " "

    def byte_of(self, at: int) -> int:
        """Where a place that is not before the last one that was asked for stands, in bytes from the beginning."""
        place, byte = self._known
        self._known = (at, byte + len(self.text[place:at].encode()))
        return self._known[1]

    def skip_space(self) -> bool:
        """False at the end."""
        while (at := _after_space(self.text, self.at)) == len(self.text):
            self.at = at
            if not self.grow():
                return False
        self.at = at
        return True

    def peek(self) -> str:
        return self.text[self.at]

    def take(self) -> str:
        self.at += 1
        return self.text[self.at - 1]


def values_of_array(chunks: Iterable[bytes], *, is_whole: bool, largest: int) -> Iterator[object]:
    """The elements of one JSON array. Nothing at all is an array without elements."""
    text = _Text(chunks, is_whole=is_whole)
    return _numbered(value for value, _ in _elements(text, largest, is_whole=is_whole))


def raw_elements(chunks: Iterable[bytes], *, is_whole: bool, largest: int) -> Iterator[RawRecord]:
    """The same as they are written."""
    text = _Text(chunks, is_whole=is_whole)
    elements = _elements(text, largest, is_whole=is_whole)
    for number, start in enumerate(_numbered(start for _, start in elements), 1):
        content = text.text[start : text.at].encode()
        yield RawRecord(number, text.byte_of(start), len(content), content)


def _numbered(elements: Iterator[Element]) -> Iterator[Element]:
    number = 0
    try:
        for element in elements:
            number += 1
            yield element
    except UnicodeDecodeError as error:
        raise Unreadable(number + 1, _encoding_reason(error)) from None
    except ValueError as error:
        raise Unreadable(number + 1, str(error)) from None


def _elements(text: _Text, largest: int, *, is_whole: bool) -> Iterator[tuple[object, int]]:
    """Each value, and where in the text it starts; it ends where the text is `at`."""
    if not text.skip_space():
        return
    if text.take() != "[":
        raise ValueError('a JSON array starts with "["')
    is_closed = text.skip_space() and text.peek() == "]" and bool(text.take())
    while not is_closed and text.skip_space():
        value, start, is_complete = _element(text, largest)
        if not is_complete and not is_whole:
            return
        yield value, start
        if not text.skip_space():
            break
        separator = text.take()
        is_closed = separator == "]"
        if separator not in ",]":
            raise ValueError(f'"," or "]" is missing before "{excerpt(text.text[text.at - 1 : text.at + 20])}"')
    if is_whole and not is_closed:
        raise ValueError('the array ends without "]"')
    if text.skip_space():
        raise ValueError("something stands behind the array's end")


def _element(text: _Text, largest: int) -> tuple[object, int, bool]:
    """The next value, where it starts, and whether it can't go on behind the text's end."""
    while True:
        try:
            value, end = _DECODER.raw_decode(text.text, text.at)
        except json.JSONDecodeError as error:
            is_cut = error.msg.startswith("Unterminated") or error.pos >= len(text.text) - _NEAR_THE_END
            if not (is_cut and text.grow()):
                if is_cut and not text.is_whole:
                    return None, text.at, False
                raise ValueError(_reason(error)) from None
        except RecursionError:
            raise ValueError("it nests too deep") from None
        else:
            if end < len(text.text) or not text.grow():
                start, text.at = text.at, end
                return value, start, True
        if len(text.text) - text.at > largest:
            raise ValueError(f"it is larger than {largest >> 20} MiB")


def _after_space(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _reason(error: json.JSONDecodeError) -> str:
    near = excerpt(error.doc[max(0, error.pos - 10) : error.pos + 20].strip(), 40)
    return f'{error.msg[:1].lower()}{error.msg[1:]} near "{near}"' if near else "it is cut off"


def _encoding_reason(error: UnicodeDecodeError) -> str:
    return f"the byte 0x{error.object[error.start]:02x} is no UTF-8; save the text as UTF-8"
