"""Expressions made of all that the allow-list knows, with fitting and other arguments; and texts that are nearly such.

What a function takes is asked of the engine, so that a new function of the list is tried as well.
"""

from functools import cache

import duckdb
from hypothesis import strategies as st

from services.processor.domain.column_types import SCALAR_TYPES
from services.processor.domain.expression_functions import FUNCTIONS, LONGEST_SEPARATOR, Function

COLUMNS = {
    "flag": "BOOLEAN", "i8": "TINYINT", "i16": "SMALLINT", "i32": "INTEGER", "i64": "BIGINT", "i128": "HUGEINT",
    "u64": "UBIGINT", "dbl": "DOUBLE", "dec": "DECIMAL(38,10)", "txt": "VARCHAR", "long": "VARCHAR", "dat": "DATE",
    "tim": "TIME", "ts": "TIMESTAMP", "tz": "TIMESTAMPTZ", "js": "JSON", "texts": "VARCHAR[]", "numbers": "BIGINT[]",
}  # fmt: skip
_KINDS = [
    ["i8", "i64", "i128", "u64", "dbl", "dec", "2", "-1.5"],
    ["txt", "long", "js.x", "texts[1]", "'abc'", "''"],
    ["dat", "ts", "tz", "INTERVAL 1 DAY", "DATE '2026-11-23'"],
    ["texts", "numbers", "numbers[1]", "flag", "i32 > 0"],
]
_NUMBERS = [
    *("0", "1", "2", "7", "1.5", "0.1", "1e3", "1e300", "1e-300", "1.7976931348623157e308", "127", "128", "32768"),
    *("2147483648", "9223372036854775807", "9223372036854775808", "18446744073709551615", str(2**127 - 1), str(2**127)),
    *("0.0000000000000000000000000000000000001", "123456789.123456789123456789", "9" * 309, "0." + "3" * 300),
]
_PATTERNS = [
    "a",
    "(a|b)*a(a|b){9}",
    "^(.*a){3}$",
    r"(\d+)-(\d+)",
    "(",
    "a{1001}",
    r"\pL+",
    "(?i)x|y*",
    "[",
    r"(?<n>a)b",
]
_TEXTS = [
    *(
        "",
        "x",
        "O'Reilly",
        "%",
        "_%_",
        "\\",
        "é",
        "e\u0301",
        "🦟👩‍👩‍👧",
        "\u202e",
        "\ufeff",
        "\ud800",
        "\0",
        "\u2028",
        "ß",
    ),
    *("x" * 1001, "a" * 3900, "1", "-1.5", "NaN", "Infinity", "true", "4.7", "1e400", "0x1F", " 1 ", "infinity"),
    *("2026-11-23", "0001-01-01", "9999-12-31", "290000-01-01", "-290308-01-01", "12:34:56", "2026-02-30"),
    *("2026-11-23 12:34:56.789012+14", "%Y-%m-%d", "%q%q", "year", "dayofweek", "isoyear", "century", "nope"),
    *("$", "$.x", "/x", "$[0]", "$[", "$..*", "$.*", '{"x":1}', '{"x":', "[1,[2,[3]]]", "null", "%41%zz"),
    *_PATTERNS,
]
CONSTANTS = [
    *("NULL", "TRUE", "FALSE", "[]", "[NULL]", "[1, 2]", "['a', 'b']", "[[1.5], []]"),
    *("CAST('NaN' AS DOUBLE)", "CAST('-inf' AS DOUBLE)", "DATE '2026-11-23'", "TIMESTAMP '1969-12-31 23:59:59.9'"),
    *("INTERVAL 3 DAY", "INTERVAL '-999999999' YEAR", "INTERVAL 1 MICROSECONDS"),
]
PARTS_OF_JSON = [
    *("js.x", 'js."a/b~c"', "js.a.b.c.d.e", "js -> '$.x'", "js ->> 'x'", "js ->> 0", "js -> -1", "parts[1] ->> '$'"),
    *("js -> '$.x[*]'",),
]
_OPERATORS = [
    *("+", "-", "*", "/", "//", "%", "=", "<>", "<", "<=", ">", ">=", "AND", "OR", "||", "LIKE", "ILIKE"),
    *("NOT LIKE", "NOT ILIKE", "IS DISTINCT FROM", "IS NOT DISTINCT FROM"),
]
UNARY = [
    *("({})", "(NOT {})", "(- {})", "({} IS NULL)", "({} IS NOT TRUE)", "[{}]", "({}[1])", "({}[-1])", "({}[i64])"),
    *("extract(EPOCH FROM {})", "extract(isoyear FROM {})", "CASE WHEN {} THEN 1 END", "CASE {} WHEN 1 THEN 'x' END"),
]
BINARY = [
    *(f"({{}} {operator} {{}})" for operator in _OPERATORS),
    *("({} LIKE {} ESCAPE '!')", "({} IN ({}, NULL))", "[{}, {}]", "({}[{}])", "({} NOT IN ({}))", "({} -> {})"),
]
TERNARY = [
    *("({} BETWEEN {} AND {})", "CASE WHEN {} THEN {} ELSE {} END", "CASE {} WHEN {} THEN {} END", "({} IN ({}, {}))"),
]
CASTS = ["CAST({} AS {})", "TRY_CAST({} AS {})"]
_PARTS = ["year", "month", "dayofweek", "isoyear", "epoch", "microseconds", "era", "nope", "YEARS", ""]
_TYPES = [
    *sorted(SCALAR_TYPES),
    *("JSON", "DECIMAL(1,1)", "DECIMAL(38,0)", "VARCHAR[]", "BIGINT[][]", "JSON[]", "INT", "TEXT", "INTERVAL", "BLOB"),
    *("STRUCT(a INT)", "VARCHAR[3]", "DECIMAL(99,1)", "TIMESTAMP_NS", "DOUBLE[][][][][]"),
]
_FITTING = {
    "VARCHAR": ["txt", "long", "js.x", "'abc'"], "DOUBLE": ["dbl", "0.5", "dec"], "DATE": ["dat"], "TIMESTAMP": ["ts"],
    "TIMESTAMP WITH TIME ZONE": ["tz"], "TIME": ["tim"], "BIGINT": ["i64", "i32", "-3"], "INTEGER": ["i32", "i8", "2"],
    "HUGEINT": ["i128", "u64"], "INTERVAL": ["INTERVAL 1 HOUR"], "JSON": ["js", "parts[1]"], "VARCHAR[]": ["texts"],
    "BOOLEAN": ["flag", "(i64 > 0)"], "T[]": ["numbers", "deep", "texts"], "ANY[]": ["numbers", "texts"],
}  # fmt: skip
_WRAPPINGS = [
    *("({})", "NOT {}", "- {}", "upper({})", "[{}]", "CAST({} AS BIGINT)", "{} || long", "TRY_CAST({} AS VARCHAR)"),
    *("CASE WHEN flag THEN {} END", "replace({}, 'a', 'bb')", "coalesce(NULL, {})", "{} + 1", "concat({}, {})"),
]
_FOREIGN = [
    *(
        "--",
        "/*",
        "*/",
        ";",
        "'",
        '"',
        "''",
        "\0",
        "\ud800",
        "\u037e",
        "\uff08",
        "\u2019",
        "\u2212",
        "\u00a0",
        "\u200b",
    ),
    *("$$", "?", "$1", ":x", "@", "#1", "{", "}", "(", ")", "[", "]", ",", ".", "::", ":=", "->", "\\", "\n", " AS "),
    *(" FROM ", " OVER () ", "*", "E'", "SELECT", "x -> x", "lambda x: x", "read_text('/etc/passwd')", "'/etc/passwd'"),
    *("getenv('HOME')", "now()", "random()", "; COPY (SELECT 1) TO 'stolen'", "; SET threads = 9", "error('x')"),
    *("(FROM 'https://127.0.0.1/x.csv')", "range(1000000000)"),
]
_LOOK_ALIKES = str.maketrans(
    "aceoKSpxI-'(=,", "\u0430\u03f2\u0435\u043e\u212a\u0405\u0440\u0445\u0406\u2212\u02bc\uff08\uff1d\uff0c"
)


@cache
def _signatures(name: str) -> list[list[str]]:
    asked = "SELECT DISTINCT parameter_types FROM duckdb_functions() WHERE function_name = ? ORDER BY ALL"
    with duckdb.connect() as connection:
        return [types for (types,) in connection.execute(asked, [name]).fetchall()]


def expressions() -> st.SearchStrategy[str]:
    """Nearly all of them are on the allow-list, and the types of many fit."""
    of_one_kind = [st.recursive(st.sampled_from(kind) | _leaves(), _larger, max_leaves=6) for kind in _KINDS]
    return st.one_of(*of_one_kind, _nested())


def nearly_expressions() -> st.SearchStrategy[str]:
    """Cut, doubled, with something foreign in them, in other letters that look the same; or one sign, very often."""
    return expressions().flatmap(_mutated) | _repeated()


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _leaves() -> st.SearchStrategy[str]:
    columns = st.sampled_from([*COLUMNS, "deep", "parts", "I64", '"txt"'])
    numbers, constants, parts = (st.sampled_from(some) for some in (_NUMBERS, CONSTANTS, PARTS_OF_JSON))
    texts = (st.sampled_from(_TEXTS) | st.text(max_size=9)).map(_quoted)
    return st.one_of(columns, columns, numbers, constants, parts, texts)


def _larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    def filled(templates: list[str], *arguments: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        return st.builds(str.format, st.sampled_from(templates), *arguments)

    calls = st.sampled_from(sorted(FUNCTIONS)).flatmap(lambda name: _call(FUNCTIONS[name], inner))
    return st.one_of(
        filled(UNARY, inner),
        filled(BINARY, inner, inner),
        filled(TERNARY, inner, inner, inner),
        filled(CASTS, inner, st.sampled_from(_TYPES)),
        calls,
        calls,
    )


@st.composite
def _call(draw: st.DrawFn, function: Function, inner: st.SearchStrategy[str]) -> str:
    """Mostly with arguments of the types that one of its forms takes."""
    count = draw(st.integers(function.fewest, min(function.most, function.fewest + 2)))
    if not draw(st.integers(0, 19)):
        count = draw(st.integers(0, 7))
    form = draw(st.sampled_from([one for one in _signatures(function.name) if len(one) == count] or [[""] * count]))
    fitting = [_FITTING.get(one) for one in form]
    given = [draw(st.sampled_from(some) if some and draw(st.integers(0, 4)) else inner) for some in fitting]
    written_out = {function.length_argument: "1000", function.separator_argument: _quoted("-" * LONGEST_SEPARATOR)}
    written_out[function.part_argument] = _quoted(draw(st.sampled_from(_PARTS)))
    if function.has_pattern:
        written_out[1] = _quoted(draw(st.sampled_from(_PATTERNS)))
        written_out[3] = draw(st.sampled_from(["'g'", "'i'", "'gi'", "1", "['a', 'b']"]))
    for place, text in written_out.items():
        if place is not None and place < count and draw(st.integers(0, 9)):
            given[place] = text
    return f"{function.name}({', '.join(given)})"


@st.composite
def _nested(draw: st.DrawFn) -> str:
    """As deep as an expression may be, and deeper; as large as a value may grow, and larger."""
    text, wrapping = draw(_leaves()), draw(st.sampled_from(_WRAPPINGS))
    for _ in range(draw(st.integers(2, 50))):
        text = wrapping.replace("{}", text) if len(text) < 5000 else text
    return text


@st.composite
def _repeated(draw: st.DrawFn) -> str:
    return draw(st.sampled_from([*_FOREIGN, "-", "NOT ", "CASE ", "a"])) * draw(st.sampled_from([1, 40, 900, 4000]))


@st.composite
def _mutated(draw: st.DrawFn, text: str) -> str:
    at, to = sorted(draw(st.tuples(*[st.integers(0, len(text))] * 2)))
    before, between, behind = text[:at], text[at:to], text[to:]
    new = ["", between * 2, draw(st.sampled_from(_FOREIGN)), between.translate(_LOOK_ALIKES), between.swapcase()]
    return draw(st.sampled_from([before, f"{text} {text}", *(before + one + behind for one in new)]))
