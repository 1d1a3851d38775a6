"""Expressions: what the closed list lets through, and that nothing else does."""

import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.processor.domain.expressions import parse_expression
from services.processor.domain.pipeline_errors import CONFIG, PipelineError
from services.processor.domain.schema_of_records import schema_from_json

PLACE = CONFIG.at("filter_condition")
SCHEMA = schema_from_json(
    {"a": "BIGINT", "b": "VARCHAR", "price": "DOUBLE", "j": "JSON", "tags": "VARCHAR[]", "Day": "DATE", "x.y": "BIGINT"}
)

ALLOWED = [
    ("a > 1 AND b = 'it''s'", """(("a" > 1) AND ("b" = 'it''s'))"""),
    ("NOT a IN (1, -2) OR b IS NOT NULL", '((NOT ("a" IN (1, (- 2)))) OR (NOT ("b" IS NULL)))'),
    ("a BETWEEN 1 AND 2.5e3", '("a" BETWEEN 1 AND 2.5e3)'),
    ("A + 1 // 2 % 3 / 4 - day", '(("a" + (((1 // 2) % 3) / 4)) - "Day")'),
    ("UPPER(b) || '!' || 'x'", """((upper("b") || '!') || 'x')"""),
    ("b LIKE 'x!%' ESCAPE '!'", """("b" LIKE 'x!%' ESCAPE '!')"""),
    ("b NOT LIKE 'x!%' ESCAPE '!'", """("b" NOT LIKE 'x!%' ESCAPE '!')"""),
    ("b NOT ILIKE '%x'", """("b" NOT ILIKE '%x')"""),
    ("CASE WHEN a > 1 THEN 'x' ELSE 'y' END", """(CASE WHEN ("a" > 1) THEN 'x' ELSE 'y' END)"""),
    ("CASE a WHEN 1 THEN TRUE END", '(CASE "a" WHEN 1 THEN TRUE END)'),
    ("a IS DISTINCT FROM 5", '("a" IS DISTINCT FROM 5)'),
    ("a IS TRUE", '("a" IS TRUE)'),
    ("tags[1] = 'x'", """(("tags"[1]) = 'x')"""),
    ("[1, 2]", "[1, 2]"),
    ("j.address.city = 'Rome'", """(("j" ->> '/address/city') = 'Rome')"""),
    ("j.a.b.c.d.e.f", """("j" ->> '/a/b/c/d/e/f')"""),
    ('j."a/b~c"', """("j" ->> '/a~1b~0c')"""),
    ("j -> '$.a' ->> 'b'", """(("j" -> '$.a') ->> 'b')"""),
    ("lower(j ->> 0)", """lower(("j" ->> 0))"""),
    ("json_array_length(j)", 'json_array_length("j")'),
    ("CAST(b AS DATE)", 'CAST("b" AS DATE)'),
    ("b::decimal(10,2)", 'CAST("b" AS DECIMAL(10,2))'),
    ("TRY_CAST(j.x AS text)", """TRY_CAST(("j" ->> '/x') AS VARCHAR)"""),
    ("CAST(j AS VARCHAR)", """CAST(("j" ->> '$') AS VARCHAR)"""),
    ("CAST(j AS BIGINT[])", 'CAST("j" AS BIGINT[])'),
    ("DATE '2026-11-23' + INTERVAL 3 DAYS", "(CAST('2026-11-23' AS DATE) + INTERVAL '3' DAY)"),
    ("extract(year FROM day)", 'extract(YEAR FROM "Day")'),
    ('"x.y" = 1', '("x.y" = 1)'),
    ("\u212aey = 1", None),
    ("lpad(b, 5, '0')", """lpad("b", 5, '0')"""),
    ("concat_ws(', ', b, 'b')", """concat_ws(', ', "b", 'b')"""),
    ("j IS NULL", '("j" IS NULL)'),
    ("j", '"j"'),
]  # fmt: skip


@pytest.mark.parametrize(("text", "sql"), ALLOWED, ids=range(len(ALLOWED)))
def test_an_expression_is_said_again_by_us(text: str, sql: str | None) -> None:
    if sql is None:
        with pytest.raises(PipelineError, match="no column"):
            parse_expression(text, PLACE).render(SCHEMA)
        return
    assert parse_expression(text, PLACE).render(SCHEMA) == sql


REFUSED = [
    ("prize > 1", 'no column "prize"; did you mean "price"?'),
    ("zzz", 'no column "zzz"; known: "a", "b", "price", "j", "tags", "Day", "x.y"'),
    ("x.y = 1", 'no column "x"; write the name in double quotes: "x.y"'),
    ("a.b = 1", '"a" is BIGINT and has no part "b"'),
    ("j > 1", "\"j\" holds JSON; take a part of it as text with ->> '$.key', or CAST it to a type"),
    ("upper(j -> 'a')", "this holds JSON; take a part of it as text with ->> '$.key', or CAST it to a type"),
    ("uper(b)", 'no function "uper"; did you mean "upper"?'),
    ("substring(b)", "substring takes 2 to 3 arguments, not 1"),
    ("upper()", "upper takes 1 arguments, not 0"),
    ("CAST(a AS INTERVAL)", 'no type "INTERVAL"; did you mean "INTEGER"?'),
    ("CAST(a AS STRUCT(x INT))", None),
    ("CAST(a AS ENUM('x'))", None),
    ("(SELECT 1)", "queries can't be used in an expression"),
    ("SELECT 1", "queries can't be used in an expression"),
    ("a IN (SELECT 1)", "IN needs a list of values"),
    ("EXISTS (SELECT 1)", "queries can't be used in an expression"),
    ("a IN tags", "IN needs a list of values"),
    ("a = ANY(tags)", 'no function "ANY"; '),
    ("a = (FROM t)", "queries can't be used in an expression"),
    ("sum(a) OVER ()", "windows can't be used in an expression"),
    ("sum(a)", 'no function "sum"; an expression sees one record'),
    ("count(*)", 'no function "count"; '),
    ("max(a) FILTER (WHERE a > 1)", "aggregates can't be used in an expression"),
    ("*", '"*" can\'t be used in an expression'),
    ("a.*", '"*" can\'t be used in an expression'),
    ("COLUMNS('a')", 'no function "COLUMNS"; '),
    ("COLUMNS(*)", 'no function "COLUMNS"; '),
    ("?", "parameters can't be used in an expression"),
    ("$1", "parameters can't be used in an expression"),
    (":name", "parameters can't be used in an expression"),
    ("@x", None),
    ("#1", "columns by number can't be used in an expression"),
    ("list_transform(tags, x -> x)", 'no function "list_transform"; '),
    ("lower(b -> b)", "after -> and ->> stands a path such as '$.key', or a number"),
    ("list_transform(tags, lambda x: x)", 'no function "list_transform"; '),
    ("[x FOR x IN tags]", None),
    ("a -- comment", "comments are not allowed; leave it out"),
    ("a /* comment */ > 1", "comments are not allowed; leave it out"),
    ("a > 1; DROP TABLE x", 'one expression is expected, without ";"'),
    (";", 'one expression is expected, without ";"'),
    ("a AS b", "a second word after a value can't be used in an expression"),
    ("a b", "a second word after a value can't be used in an expression"),
    ("now()", 'no function "now"; an expression reads no clock'),
    ("random()", 'no function "random"; an expression draws nothing at random'),
    ("uuid()", 'no function "uuid"; '),
    ("current_timestamp", 'no column "current_timestamp"; '),
    ("current_date", 'no column "current_date"; an expression reads no clock'),
    ("age", 'no column "age"; known: '),
    ("current_user", 'no column "current_user"; '),
    ("getenv('HOME')", 'no function "getenv"; '),
    ("current_setting('temp_directory')", 'no function "current_setting"; '),
    ("read_csv('/etc/passwd')", 'no function "read_csv"; '),
    ("read_text('/etc/passwd')", 'no function "read_text"; '),
    ("glob('/*')", 'no function "glob"; '),
    ("a GLOB '*'", "GLOB can't be used in an expression"),
    ("pragma_version()", 'no function "pragma_version"; '),
    ("PRAGMA database_list", None),
    ("ATTACH 'x.db'", None),
    ("COPY t TO 'x'", None),
    ("INSTALL httpfs", None),
    ("LOAD httpfs", None),
    ("SET threads = 1", None),
    ("CALL pragma_version()", None),
    ("DROP TABLE t", None),
    ("CREATE TABLE t (a INT)", None),
    ("EXPORT DATABASE 'x'", None),
    ("'x'; DROP TABLE t; --'", None),
    ("main.upper(b)", "a function's name has no dot"),
    ("system.main.upper(b)", "a function's name has no dot"),
    ('"upper"(b)', None),
    ("nextval('s')", 'no function "nextval"; '),
    ("query('SELECT 1')", 'no function "query"; '),
    ("query_table('t')", 'no function "query_table"; '),
    ("error('x')", 'no function "error"; '),
    ("unnest(tags)", 'no function "unnest"; '),
    ("range(1000000000)", 'no function "range"; '),
    ("repeat('x', 1e9)", 'no function "repeat"; '),
    ("printf('%1000000000d', 1)", 'no function "printf"; '),
    ("lpad(b, 1000000000, 'x')", "the length that lpad pads to is a number, at most 1000"),
    ("rpad(b, a, 'x')", "the length that rpad pads to is a number, at most 1000"),
    ("rpad(b, '9', 'x')", "the length that rpad pads to is a number, at most 1000"),
    ("concat_ws(b, b, b)", "the separator of concat_ws is a text such as ', ', of at most 100 characters"),
    (f"array_to_string(tags, '{'x' * 101}')", "the separator of array_to_string is a text such as ', ', of at most"),
    ("date_part(b, day)", "the part that date_part takes is a text such as 'year'"),
    ("date_diff('" + "x" * 101 + "', day, day)", "the part that date_diff takes is a text such as 'year'"),
    ("a ^ 2", '"^" and "**" (write pow(x, y)) can\'t be used in an expression'),
    ("levenshtein(b, b)", 'no function "levenshtein"'),
    ("jaro_winkler_similarity(b, b)", 'no function "jaro_winkler_similarity"'),
    ("regexp_matches(b, b)", "the regular expression of regexp_matches is a text such as '[0-9]+'"),
    ("regexp_replace(b, '(a?){251}', '')", "a regular expression has at most 250 parts, repetitions counted"),
    ("regexp_extract(b, '((x{10}){10}){10}')", "a regular expression has at most 250 parts"),
    ("b ~ 'x'", "\"~\" (write regexp_matches(x, '…')) can't be used in an expression"),
    ("b SIMILAR TO 'x'", "SIMILARTO can't be used in an expression"),
    ("b COLLATE nocase", "COLLATE can't be used in an expression"),
    ("a & 1", "operators on bits can't be used in an expression"),
    ("~a", "operators on bits can't be used in an expression"),
    ("a >> 1", '">>" (write x // 2) can\'t be used in an expression'),
    ("a # 1", 'this is no SQL expression: "#" is not expected at character 3'),
    ("1e400", "1e400 is too large for a number"),
    ("{'a': 1}", "STRUCT can't be used in an expression"),
    ("MAP {'a': 1}", None),
    ("(a, b)", "tuples (write [a, b] for a list) can't be used in an expression"),
    ("tags[1:2]", "slices (write substring(x, from, length)) can't be used in an expression"),
    ("tags[1, 2]", "an index is one number: tags[1]"),
    ("upper(DISTINCT b)", "DISTINCT can't be used in an expression"),
    ("upper(b ORDER BY b)", "ORDER can't be used in an expression"),
    ("f(a := 1)", 'no function "f"; '),
    ("E'\\n'", "E'' texts (write the character itself) can't be used in an expression"),
    ("$$x$$", "$$ texts (write '…') can't be used in an expression"),
    ("x'00'", None),
    ("0x1F", "a second word after a value can't be used in an expression"),
    ("1e999999", '"1e999999" is no number'),
    ("upper(b).x", "only a column has parts after a dot; elsewhere write ->> '$.key'"),
    ("b GLOB 'x' ESCAPE 'y'", "ESCAPE belongs to LIKE"),
    ("a IN ()", "IN needs a list of values: x IN (1, 2)"),
    ("CAST(a AS)", None),
    ("NOT " * 60 + "a", "an expression nests at most 40 deep; derive some of it in an earlier step"),
    ("j -> b", "after -> and ->> stands a path such as '$.key', or a number"),
    ("j -> ('$' || b)", "after -> and ->> stands a path such as '$.key', or a number"),
    ("extract(century FROM day)", None),
    ("INTERVAL 3 CENTURY", None),
    ("INTERVAL (a) DAY", None),
    ("a IS JSON", "after IS stands NULL, TRUE or FALSE"),
    ("day AT TIME ZONE 'UTC'", "ATTIMEZONE can't be used in an expression"),
    ("a >", "this is no SQL expression: a value is missing at character 3"),
    ("(a", None),
    ("'open", None),
    ("a > > 1", None),
    ("=", None),
    ("\0", None),
    ("\ud800 > 1", "an expression holds half of a surrogate pair; write the whole character"),
    ("b = 'x\0y'", "a text can't hold the NUL character"),
    ("a\u200b = 1", 'no column "a'),
    ("\uff55pper(b)", 'no function "\uff55pper"; '),
    ("upper\uff08b\uff09", None),
    ("a = 1 \u037e DROP TABLE t", None),
    ("pg_catalog.pg_read_file('/etc/passwd')", "a function's name has no dot"),
    ("(" * 1000 + "a" + ")" * 1000, "an expression nests at most 40 deep; derive some of it in an earlier step"),
    ("NOT " * 900 + "a", "an expression nests at most 40 deep; derive some of it in an earlier step"),
    ("- " * 1900 + "a", "an expression nests at most 40 deep; derive some of it in an earlier step"),
    ("[" * 1900, None),
    ("upper(" * 600 + "b" + ")" * 600, None),
    ("CASE WHEN " * 300 + "a", None),
    ("a = 1" + " OR a = 1" * 400, "an expression has at most 400 parts; derive some of it in an earlier step"),
    ("a" * 4001, "an expression has at most 4,000 characters, this has 4,001"),
    ("x" * 5000, "an expression has at most 4,000 characters, this has 5,000"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "reason"), REFUSED, ids=range(len(REFUSED)))
def test_what_is_not_listed_is_refused(text: str, reason: str | None) -> None:
    with pytest.raises(PipelineError) as caught:
        parse_expression(text, PLACE).render(SCHEMA)
    assert caught.value.errors[0].pointer == "/config/filter_condition"
    assert caught.value.message.startswith(reason or "")
    assert "sqlglot" not in caught.value.message


def test_casts_within_casts_stay_small() -> None:
    text = "a"
    for _ in range(38):
        text = f"CAST({text} AS BIGINT)"
    with pytest.raises(PipelineError, match="this grows too large by casts within casts"):
        parse_expression(text, PLACE)


def test_a_long_chain_is_not_deep() -> None:
    text = " OR ".join(f"a = {i}" for i in range(60))
    assert parse_expression(text, PLACE).render(SCHEMA).count(" OR ") == 59


WORDS = [
    "a",
    "b",
    "j",
    "tags",
    "1",
    "'x'",
    "(",
    ")",
    "[",
    "]",
    ",",
    ".",
    "->",
    "->>",
    "::",
    "AND",
    "NOT",
    "CASE",
    "WHEN",
    "THEN",
    "END",
    "SELECT",
    "FROM",
    "upper",
    "CAST",
    "AS",
    "INT",
    "IS",
    "NULL",
    "*",
    ";",
    "--",
    "/*",
    "=",
    "<",
    "$1",
    ":",
    "?",
    "LIKE",
    "{",
    "}",
    "INTERVAL",
    "DAY",
    "read_csv",
    "EXISTS",
    "IN",
    "@",
    "#",
    "~",
    "E'",
    "x'",
    '"',
    "'",
    "\\",
    "OVER",
    "\x00",
    "�",
]


@given(st.lists(st.sampled_from(WORDS), max_size=25).map(" ".join) | st.text(max_size=60))
def test_no_text_does_more_than_be_refused(text: str) -> None:
    with suppress(PipelineError):
        sql = parse_expression(text, PLACE).render(SCHEMA)
        outside_texts = re.sub("'[^']*'", "", sql).upper()
        assert not any(word in outside_texts for word in ("SELECT", "READ_", ";", "--", "/*"))
