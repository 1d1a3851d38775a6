"""What becomes of a value from format to format: the reference shows this table, and a test holds each cell of it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """A value as it is `written` in `form`: for Parquet as SQL; None: no such key. `type` as `input.schema` says.

    The other fields are what is written of it: for Parquet its type and its text. One for all where it is an error.
    """

    form: str
    written: str | None
    type: str
    json: str
    csv: str
    parquet: str


def _row(form: str, written: str | None, column_type: str, *made: str) -> Row:
    json, csv, parquet = made if len(made) > 1 else made * 3
    return Row(form, written, column_type, json, csv, parquet)


VALUES: dict[str, list[Row]] = {
    "Null and missing keys": [
        _row("json", "null", "", "null", "", "JSON: NULL"),
        _row("json", None, "VARCHAR", "null", "", "VARCHAR: NULL"),
        _row("json", "null", "BIGINT", "null", "", "BIGINT: NULL"),
        _row("csv", "", "", "null", "", "VARCHAR: NULL"),
        _row("csv", "", "BIGINT", "null", "", "BIGINT: NULL"),
        _row("parquet", "CAST(NULL AS INTEGER)", "", "null", "", "INTEGER: NULL"),
    ],
    "Empty texts": [
        _row("json", '""', "", '""', '""', "VARCHAR: "),
        _row("csv", '""', "", '""', '""', "VARCHAR: "),
        _row("csv", '""', "BIGINT", "null", "", "BIGINT: NULL"),
        _row("parquet", "''", "", '""', '""', "VARCHAR: "),
    ],
    "Booleans": [
        _row("json", "true", "", "true", "true", "BOOLEAN: true"),
        _row("json", '"true"', "BOOLEAN", 'error: "true" is no BOOLEAN'),
        _row("csv", "true", "", "true", "true", "BOOLEAN: true"),
        _row("csv", "True", "", '"True"', "True", "VARCHAR: True"),
        _row("csv", "1", "BOOLEAN", "true", "true", "BOOLEAN: true"),
        _row("parquet", "true", "", "true", "true", "BOOLEAN: true"),
    ],
    "Whole numbers": [
        _row("json", "9007199254740993", "", "9007199254740993", "9007199254740993", "BIGINT: 9007199254740993"),
        _row(
            "json",
            "-9223372036854775808",
            "",
            "-9223372036854775808",
            "-9223372036854775808",
            "BIGINT: -9223372036854775808",
        ),
        _row(
            "json",
            "9223372036854775808",
            "",
            "9223372036854775808",
            "9223372036854775808",
            "DECIMAL(38,0): 9223372036854775808",
        ),
        _row(
            "json",
            "18446744073709551616",
            "",
            "18446744073709551616",
            "18446744073709551616",
            "DECIMAL(38,0): 18446744073709551616",
        ),
        _row(
            "json",
            "1000000000000000000000000000000000000000",
            "",
            "1000000000000000000000000000000000000000",
            "1000000000000000000000000000000000000000",
            "JSON: 1000000000000000000000000000000000000000",
        ),
        _row("csv", "9007199254740993", "", "9007199254740993", "9007199254740993", "BIGINT: 9007199254740993"),
        _row(
            "csv",
            "9223372036854775808",
            "",
            '"9223372036854775808"',
            "9223372036854775808",
            "VARCHAR: 9223372036854775808",
        ),
        _row(
            "csv",
            "9223372036854775808",
            "HUGEINT",
            "9223372036854775808",
            "9223372036854775808",
            "DECIMAL(38,0): 9223372036854775808",
        ),
        _row("csv", "007", "", '"007"', "007", "VARCHAR: 007"),
        _row(
            "parquet",
            "9223372036854775807",
            "",
            "9223372036854775807",
            "9223372036854775807",
            "BIGINT: 9223372036854775807",
        ),
        _row(
            "parquet",
            "CAST(18446744073709551615 AS UBIGINT)",
            "",
            "18446744073709551615",
            "18446744073709551615",
            "UBIGINT: 18446744073709551615",
        ),
    ],
    "Numbers with a fraction": [
        _row("json", "1.10", "", "1.1", "1.1", "DOUBLE: 1.1"),
        _row("json", "1.0", "", "1.0", "1.0", "DOUBLE: 1.0"),
        _row("json", "0.1", "", "0.1", "0.1", "DOUBLE: 0.1"),
        _row("json", "1e400", "", 'error: "1e400" is no DOUBLE'),
        _row(
            "json",
            "0.12345678901234567890",
            "",
            "0.12345678901234568",
            "0.12345678901234568",
            "DOUBLE: 0.12345678901234568",
        ),
        _row("csv", "1.10", "", "1.1", "1.1", "DOUBLE: 1.1"),
        _row(
            "csv",
            "0.12345678901234567890",
            "",
            '"0.12345678901234567890"',
            "0.12345678901234567890",
            "VARCHAR: 0.12345678901234567890",
        ),
        _row("csv", "1e3", "", "1000.0", "1000.0", "DOUBLE: 1000.0"),
        _row("parquet", "CAST(1.5 AS FLOAT)", "", "1.5", "1.5", "DOUBLE: 1.5"),
        _row("parquet", "CAST(0.1 AS DOUBLE)", "", "0.1", "0.1", "DOUBLE: 0.1"),
    ],
    "Zero below zero": [
        _row("json", "-0.0", "", "-0.0", "-0.0", "DOUBLE: -0.0"),
        _row("json", "-0", "", "0", "0", "BIGINT: 0"),
        _row("csv", "-0.0", "", "-0.0", "-0.0", "DOUBLE: -0.0"),
        _row("csv", "-0", "", "-0.0", "-0.0", "DOUBLE: -0.0"),
        _row("parquet", "CAST('-0.0' AS DOUBLE)", "", "-0.0", "-0.0", "DOUBLE: -0.0"),
    ],
    "NaN and infinity": [
        _row("json", "NaN", "", "error: NaN is no JSON"),
        _row("json", '"NaN"', "", '"NaN"', "NaN", "VARCHAR: NaN"),
        _row("csv", "NaN", "", '"NaN"', "NaN", "VARCHAR: NaN"),
        _row("csv", "inf", "DOUBLE", 'error: "inf" is no DOUBLE'),
        _row("parquet", "CAST('NaN' AS DOUBLE)", "", "error: nan is no number in JSON", "nan", "DOUBLE: nan"),
        _row("parquet", "CAST('-inf' AS DOUBLE)", "", "error: -inf is no number in JSON", "-inf", "DOUBLE: -inf"),
    ],
    "Decimals": [
        _row("json", "1.10", "DECIMAL(10,2)", "1.1", "1.10", "DECIMAL(10,2): 1.10"),
        _row("json", '"1.10"', "DECIMAL(10,2)", "1.1", "1.10", "DECIMAL(10,2): 1.10"),
        _row("json", "1.119", "DECIMAL(10,2)", 'error: "1.119" is no DECIMAL(10,2)'),
        _row("csv", "1.10", "DECIMAL(10,2)", "1.1", "1.10", "DECIMAL(10,2): 1.10"),
        _row("csv", "1.10", "VARCHAR", '"1.10"', "1.10", "VARCHAR: 1.10"),
        _row("parquet", "CAST(1.10 AS DECIMAL(10,2))", "", "1.1", "1.10", "DECIMAL(10,2): 1.10"),
    ],
    "Dates": [
        _row("json", '"2026-11-30"', "", '"2026-11-30"', "2026-11-30", "VARCHAR: 2026-11-30"),
        _row("json", '"2026-11-30"', "DATE", '"2026-11-30"', "2026-11-30", "DATE: 2026-11-30"),
        _row("csv", "2026-11-30", "", '"2026-11-30"', "2026-11-30", "VARCHAR: 2026-11-30"),
        _row("csv", "2026-11-30", "DATE", '"2026-11-30"', "2026-11-30", "DATE: 2026-11-30"),
        _row("csv", "30.11.2026", "DATE", 'error: "30.11.2026" is no DATE'),
        _row("parquet", "DATE '2026-11-30'", "", '"2026-11-30"', "2026-11-30", "DATE: 2026-11-30"),
    ],
    "Times": [
        _row(
            "json",
            '"2026-11-30T10:00:00+02:00"',
            "",
            '"2026-11-30T10:00:00+02:00"',
            "2026-11-30T10:00:00+02:00",
            "VARCHAR: 2026-11-30T10:00:00+02:00",
        ),
        _row("json", '"2026-11-30T10:00:00+02:00"', "TIMESTAMP", 'error: "2026-11-30T10:00:00+02:00" is no TIMESTAMP'),
        _row(
            "json",
            '"2026-11-30T10:00:00+02:00"',
            "TIMESTAMPTZ",
            '"2026-11-30 08:00:00+00"',
            "2026-11-30 08:00:00+00",
            "TIMESTAMP WITH TIME ZONE: 2026-11-30 08:00:00+00",
        ),
        _row(
            "json",
            '"2026-11-30T10:00:00.123456Z"',
            "TIMESTAMP",
            '"2026-11-30 10:00:00.123456"',
            "2026-11-30 10:00:00.123456",
            "TIMESTAMP: 2026-11-30 10:00:00.123456",
        ),
        _row(
            "csv",
            "2026-11-30T10:00:00+02:00",
            "",
            '"2026-11-30T10:00:00+02:00"',
            "2026-11-30T10:00:00+02:00",
            "VARCHAR: 2026-11-30T10:00:00+02:00",
        ),
        _row(
            "csv",
            "2026-11-30T10:00:00+02:00",
            "TIMESTAMPTZ",
            '"2026-11-30 08:00:00+00"',
            "2026-11-30 08:00:00+00",
            "TIMESTAMP WITH TIME ZONE: 2026-11-30 08:00:00+00",
        ),
        _row(
            "csv",
            "2026-11-30 10:00:00",
            "TIMESTAMP",
            '"2026-11-30 10:00:00"',
            "2026-11-30 10:00:00",
            "TIMESTAMP: 2026-11-30 10:00:00",
        ),
        _row(
            "parquet",
            "TIMESTAMP '2026-11-30 10:00:00.123456'",
            "",
            '"2026-11-30 10:00:00.123456"',
            "2026-11-30 10:00:00.123456",
            "TIMESTAMP: 2026-11-30 10:00:00.123456",
        ),
        _row(
            "parquet",
            "TIMESTAMPTZ '2026-11-30 10:00:00+02'",
            "",
            '"2026-11-30 08:00:00+00"',
            "2026-11-30 08:00:00+00",
            "TIMESTAMP WITH TIME ZONE: 2026-11-30 08:00:00+00",
        ),
        _row(
            "parquet",
            "CAST('2026-11-30 10:00:00.123456789' AS TIMESTAMP_NS)",
            "",
            'error: "2026-11-30 10:00:00.123456789" is no TIMESTAMP',
        ),
        _row("parquet", "INTERVAL 1 DAY", "", "error: its type, INTERVAL, is none that a column may have"),
    ],
    "Unicode": [
        _row("json", '"\xe9"', "", '"\xe9"', "\xe9", "VARCHAR: \xe9"),
        _row("json", '"e\u0301"', "", '"e\u0301"', "e\u0301", "VARCHAR: e\u0301"),
        _row("json", '"\U0001f600"', "", '"\U0001f600"', "\U0001f600", "VARCHAR: \U0001f600"),
        _row("json", '"\\ud83d\\ude00"', "", '"\U0001f600"', "\U0001f600", "VARCHAR: \U0001f600"),
        _row("json", '"\\ud800"', "", "error: half of a surrogate pair (\\ud800 to \\udfff) stands alone"),
        _row("json", '"\\u0000"', "", '"\\u0000"', "\x00", "VARCHAR: \x00"),
        _row("csv", "\xe9", "", '"\xe9"', "\xe9", "VARCHAR: \xe9"),
        _row("csv", "e\u0301", "", '"e\u0301"', "e\u0301", "VARCHAR: e\u0301"),
        _row("csv", "\U0001f600", "", '"\U0001f600"', "\U0001f600", "VARCHAR: \U0001f600"),
        _row("parquet", "'\U0001f600'", "", '"\U0001f600"', "\U0001f600", "VARCHAR: \U0001f600"),
        _row("parquet", "chr(0)", "", '"\\u0000"', "\x00", "VARCHAR: \x00"),
    ],
    "Lists": [
        _row("json", "[1,null,2]", "", "[1,null,2]", '"[1,null,2]"', "BIGINT[]: [1, NULL, 2]"),
        _row("json", '[1,"a"]', "", '[1,"a"]', '"[1,""a""]"', 'JSON: [1,"a"]'),
        _row("csv", '"[1,2]"', "", '"[1,2]"', '"[1,2]"', "VARCHAR: [1,2]"),
        _row("parquet", "[1, NULL, 2]", "", "[1,null,2]", '"[1,null,2]"', "INTEGER[]: [1, NULL, 2]"),
        _row("parquet", "[[1], [2]]", "", "[[1],[2]]", '"[[1],[2]]"', "INTEGER[][]: [[1], [2]]"),
    ],
    "Objects, maps and bytes": [
        _row(
            "json",
            '{"a":{"b":[1,null]}}',
            "",
            '{"a":{"b":[1,null]}}',
            '"{""a"":{""b"":[1,null]}}"',
            'JSON: {"a":{"b":[1,null]}}',
        ),
        _row("csv", '"{""a"":1}"', "", '"{\\"a\\":1}"', '"{""a"":1}"', 'VARCHAR: {"a":1}'),
        _row("csv", '"{""a"":1}"', "JSON", '{"a":1}', '"{""a"":1}"', 'JSON: {"a":1}'),
        _row("parquet", "{'a': 1}", "", "error: its type, STRUCT(a INTEGER), is none that a column may have"),
        _row("parquet", "MAP {'a': 1}", "", "error: its type, MAP(VARCHAR, INTEGER), is none that a column may have"),
        _row("parquet", "'\\x00\\xFF'::BLOB", "", "error: its type, BLOB, is none that a column may have"),
        _row("parquet", "CAST('{\"a\":1}' AS JSON)", "", '{"a":1}', '"{""a"":1}"', 'JSON: {"a":1}'),
    ],
}
