"""What goes in comes out: formats, compression, values that must not change."""

import gzip
import json

import pytest

from services.processor.domain.formats import Compression, compression_of
from services.processor.domain.packing import packed
from services.processor.domain.pipeline_errors import PipelineError, RecordError
from tests.unit.processor.engine.conftest import Engine

LINES = '{"a":1,"b":"x"}\n{"a":2,"b":null}\n'
ARRAY = '[\n\t{"a":1,"b":"x"},\n\t{"a":2,"b":null}\n]\n'
TABLE = "a,b\n1,x\n2,\n"
WRITTEN = {"ndjson": LINES, "json": ARRAY, "csv": TABLE}


@pytest.mark.parametrize("compression", ["none", "gzip", "zstd"])
@pytest.mark.parametrize("format_in", WRITTEN)
@pytest.mark.parametrize("format_out", WRITTEN)
def test_any_format_becomes_any_other(engine: Engine, format_in: str, format_out: str, compression: str) -> None:
    config = {"output": {"format": format_out, "compression": compression}, "stamp": False}
    done = engine.run({f"in.{format_in}": WRITTEN[format_in]}, config)
    assert compression_of("", done.content) == compression
    assert done.text == WRITTEN[format_out]


@pytest.mark.parametrize(("compression", "suffix"), [("gzip", ".gz"), ("zstd", ".zst")])
@pytest.mark.parametrize("name", WRITTEN)
def test_packed_in_is_packed_out(engine: Engine, name: str, compression: Compression, suffix: str) -> None:
    done = engine.run({f"in.{name}{suffix}": packed(WRITTEN[name].encode(), compression)})
    assert compression_of("", done.content) == compression
    assert done.text == WRITTEN[name]


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
@pytest.mark.parametrize("format_out", WRITTEN)
def test_packed_bytes_are_the_same_by_any_number_of_threads(
    engine: Engine, format_out: str, compression: Compression
) -> None:
    content = "".join(f'{{"a":{i},"b":"{i * 7919 % 1000}"}}\n' for i in range(300_000))
    config = {"output": {"format": format_out, "compression": compression}, "stamp": False}
    made = {Engine(engine.folder, threads=threads).run({"a.ndjson": content}, config).content for threads in (1, 2, 4)}
    assert len(made) == 1


def test_a_byte_order_mark_may_come_in_pieces(engine: Engine) -> None:
    content = b"".join(packed(bytes([byte]), "zstd") for byte in ("\ufeff" + LINES).encode())
    assert engine.run({"a.ndjson.zst": content}, {"output": {"compression": "none"}, "stamp": False}).text == LINES


def test_a_gzip_holds_no_time(engine: Engine) -> None:
    for content in (LINES, ""):
        done = engine.run({"in.ndjson": content}, {"output": {"compression": "gzip"}, "stamp": False})
        assert done.content[4:8] == b"\0\0\0\0"


def test_a_gzip_of_several_members_is_read_whole(engine: Engine) -> None:
    content = b"".join(gzip.compress(line.encode()) for line in LINES.splitlines(keepends=True))
    assert engine.run({"in.ndjson.gz": content}, {"output": {"compression": "none"}, "stamp": False}).text == LINES


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("noname", LINES, LINES),
        ("noname", ARRAY, ARRAY),
        ("noname", TABLE, TABLE),
        ("lines.json", LINES, LINES),
        ("array.ndjson", ARRAY, ARRAY),
        ("plain.json.gz", ARRAY, ARRAY),
        ("packed.csv", gzip.compress(TABLE.encode(), mtime=0), TABLE),
        ("bom.json", "\ufeff" + ARRAY, ARRAY),
        ("bom.csv", "\ufeff" + TABLE, TABLE),
        ("crlf.ndjson", LINES.replace("\n", "\r\n"), LINES),
        ("crlf.csv", TABLE.replace("\n", "\r\n"), TABLE),
        ("blank.ndjson", LINES.replace("\n", "\n \n\n"), LINES),
        ("noend.ndjson", LINES.rstrip(), LINES),
        ("noend.csv", "a,b\n1,x\n2,", TABLE),
        ("dense.json", '[{"a":1,"b":"x"},{"b":null,"a":2}]', ARRAY),
    ],
)
def test_a_format_is_told_by_name_and_content(engine: Engine, name: str, content: str | bytes, expected: str) -> None:
    assert engine.run({name: content}).text == expected


def test_a_format_that_shows_nowhere_is_asked_for(engine: Engine) -> None:
    with pytest.raises(PipelineError, match=r'^config\.input\.format: the format of "noname" shows neither') as caught:
        engine.run({"noname": "hello"})
    assert caught.value.errors[0].pointer == "/config/input/format"


def test_a_stated_format_holds(engine: Engine) -> None:
    config = {"input": {"format": "ndjson"}, "stamp": False}
    with pytest.raises(
        RecordError, match=r"^in\.json, record 1: this can't be read: .*each line holds one whole object"
    ):
        engine.run({"in.json": ARRAY}, config)


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.json", "", "[]\n"), ("a.json", "[]", "[]\n"), ("a.json", " [ ] \n", "[]\n"), ("a.ndjson", "", ""),
        ("a.ndjson", "\n \n", ""), ("a.csv", "", ""), ("a.csv", "a,b\n", "a,b,processed,processed_at\n"),
        ("a.json.gz", gzip.compress(b"", mtime=0), "[]\n"),
    ],
)  # fmt: skip
def test_nothing_in_is_nothing_out(engine: Engine, name: str, content: str | bytes, expected: str) -> None:
    done = engine.run({name: content}, {})
    assert done.text == expected
    assert (done.result.records_in, done.result.records_out) == (0, 0)


@pytest.mark.parametrize(("format_out", "expected"), [("json", "[]\n"), ("ndjson", ""), ("csv", "a,b\n")])
def test_a_filter_that_nothing_passes_leaves_a_valid_file(engine: Engine, format_out: str, expected: str) -> None:
    config = {"filter_condition": "a > 9", "output": {"format": format_out}, "stamp": False}
    assert engine.run({"a.ndjson": LINES}, config).text == expected


def test_a_filter_over_no_records_is_no_error(engine: Engine) -> None:
    assert engine.run({"a.json": "[]"}, {"filter_condition": "a > 9"}).text == "[]\n"


@pytest.mark.parametrize(
    "value",
    ["9007199254740993", "-9223372036854775808", "9223372036854775808", "99999999999999999999999999999999999999", "0.1",
     "1.7976931348623157e308", "5e-324", "0.30000000000000004", "true", "null", '"007"', '"2026-11-23T10:00:00Z"',
     '"2026-11-23"', '"1.10"', '""', '" a "', '"\\u0000"', '"\\"\\\\/\\b\\f\\n\\r\\t"', '"ünïcödé \U0001f600 \u2028"',
     '"123e4567-E89b-12d3-a456-426614174000"', "[]", "[1,2]", '["a",null]', "[true]", "[1.5]", '[1,"a"]', "[[1],[2]]",
     "{}",
     '{"x":{"y":[1,null,"z"]},"X":1}', '{"n":12345678901234567890123}', '[{"a":1},{"b":2}]'],
)  # fmt: skip
def test_no_value_changes(engine: Engine, value: str) -> None:
    done = engine.run({"a.ndjson": f'{{"first":1,"v":{value}}}\n'})
    [record] = [json.loads(line, parse_float=_float) for line in done.text.split("\n")[:-1]]
    assert record == {"first": 1, "v": json.loads(value, parse_float=_float)}


def _float(text: str) -> tuple[str, float]:
    """Tells 1.0 from 1."""
    return ("float", float(text))


@pytest.mark.parametrize(
    "text",
    ["007", "+5", " 5", "5 ", "1_000", "0x1F", "1.10.1", "NaN", "inf", "True", "0.12345678901234567890",
     "12345678901234567890",
     "2026-11-23", "1e400", "é\U0001f600", "'", "\\", "0123.5"],
)  # fmt: skip
def test_a_text_of_a_table_stays_as_it_was_written(engine: Engine, text: str) -> None:
    assert engine.run({"a.csv": f"first,v\n1,{text}\n"}).text == f"first,v\n1,{text}\n"


@pytest.mark.parametrize("row", ['"a,b",1', '"a""b",1', '"a\nb",1', '"",1', ",1", '"a\r\nb",1'])
def test_what_a_table_quotes_stays_quoted(engine: Engine, row: str) -> None:
    assert engine.run({"a.csv": f"x,y\n{row}\n"}).text == f"x,y\n{row}\n"


@pytest.mark.parametrize(
    "key", ["a b", "a.b", 'q"x', "'", "ünï", "\U0001f600", "select", "\\", "a/b~c", "$.x", "0", "; --"]
)
def test_a_key_may_be_any_text(engine: Engine, key: str) -> None:
    line = json.dumps({key: 1, "t": [1]}, ensure_ascii=False, separators=(",", ":")) + "\n"
    quoted = '"' + key.replace('"', '""') + '"'
    assert engine.run({"a.ndjson": line}, {"filter_condition": f"{quoted} = 1", "stamp": False}).text == line


def test_a_list_under_an_odd_key_is_checked_too(engine: Engine) -> None:
    with pytest.raises(RecordError, match="record 2, column"):
        engine.run({"a.ndjson": '{"q\\"x":["a"]}\n{"q\\"x":[1]}\n'}, {"input": {"schema": {'q"x': "VARCHAR[]"}}})


def test_nested_values_are_json_in_a_table(engine: Engine) -> None:
    content = '{"o":{"a":[1]},"s":"x","l":["a","b"]}\n{"o":"text","s":null,"l":null}\n{"o":null,"s":"y","l":[]}\n'
    done = engine.run({"a.ndjson": content}, {"output": {"format": "csv"}, "stamp": False})
    assert done.text == 'o,s,l\n"{""a"":[1]}",x,"[""a"",""b""]"\ntext,,\n,y,[]\n'


def test_whole_numbers_beside_fractions_are_doubles(engine: Engine) -> None:
    done = engine.run({"a.ndjson": '{"a":1}\n{"a":4.7}\n'})
    assert done.schema == {"a": "DOUBLE"}
    assert done.text == '{"a":1.0}\n{"a":4.7}\n'


def test_stated_types_are_used(engine: Engine) -> None:
    schema = {"d": "DATE", "t": "TIMESTAMP", "p": "DECIMAL(10,2)", "i": "INTEGER", "new": "VARCHAR"}
    content = '{"d":"2026-11-23","t":"2026-11-23T10:00:00Z","p":"1.25","i":5}\n'
    done = engine.run({"a.ndjson": content}, {"input": {"schema": schema}, "stamp": False})
    assert done.schema == schema
    assert done.text == '{"d":"2026-11-23","t":"2026-11-23 10:00:00","p":1.25,"i":5,"new":null}\n'


def test_an_empty_field_of_a_number_is_null_also_when_quoted(engine: Engine) -> None:
    done = engine.run({"a.csv": '"n","t"\n"1","x"\n"",""\n'})
    assert done.schema == {"n": "BIGINT", "t": "VARCHAR"}
    assert done.text == 'n,t\n1,x\n,""\n'


def test_columns_of_a_table_may_come_in_any_order(engine: Engine) -> None:
    assert engine.run({"a.csv": "a,b\n1,x\n", "b.csv": "b,a\ny,2\n", "c.csv": "a\n3\n"}).text == "a,b\n1,x\n2,y\n3,\n"
