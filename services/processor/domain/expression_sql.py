"""Says a parsed expression again as DuckDB SQL, node by node from a closed list. Anything else is refused by name."""

import math
import re
from collections.abc import Callable

from sqlglot import exp

from services.processor.domain import expression_bounds as bounds
from services.processor.domain.column_types import UnknownType, is_json, parse_type
from services.processor.domain.excerpts import excerpt
from services.processor.domain.expression_calls import CallRefused, call_sql
from services.processor.domain.expression_casts import cast_sql
from services.processor.domain.expression_functions import CLOCK_WORDS, FUNCTIONS, LEFT_OUT, NO_CLOCK
from services.processor.domain.pipeline_errors import PipelineError, Place
from services.processor.domain.schema_of_records import Column, Schema
from services.processor.domain.sql_text import json_pointer, quote_name, quote_text
from shared.nearest import did_you_mean

_LONGEST_SQL = 50_000
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]{1,3})?", re.ASCII)
_UNITS = ("YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "HOUR", "MINUTE", "SECOND", "MILLISECOND", "MICROSECOND")
_PARTS = (*_UNITS, "ISODOW", "DOW", "DOY", "EPOCH", "ISOYEAR")
_BINARY: dict[type[exp.Expr], str] = {
    exp.And: "AND", exp.Or: "OR", exp.EQ: "=", exp.NEQ: "<>", exp.GT: ">", exp.GTE: ">=", exp.LT: "<", exp.LTE: "<=",
    exp.NullSafeEQ: "IS NOT DISTINCT FROM", exp.NullSafeNEQ: "IS DISTINCT FROM", exp.Add: "+", exp.Sub: "-",
    exp.Mul: "*", exp.Div: "/", exp.IntDiv: "//", exp.Mod: "%", exp.Like: "LIKE", exp.ILike: "ILIKE",
}  # fmt: skip
_SAYS_NOTHING = frozenset({"safe", "typed", "only_json_types", "scalar_only", "value_constructor", "bracket_notation"})
_REFUSED: list[tuple[type[exp.Expr], str]] = [
    (exp.Query, "queries"), (exp.Exists, "queries"), (exp.Window, "windows"), (exp.Filter, "aggregates"),
    (exp.Star, '"*"'), (exp.Placeholder, "parameters"), (exp.Parameter, "parameters"), (exp.Lambda, "lambdas"),
    (exp.Alias, "a second word after a value"), (exp.Pow, '"^" and "**" (write pow(x, y))'),
    (exp.ByteString, "E'' texts (write the character itself)"), (exp.RawString, "$$ texts (write '…')"),
    (exp.RegexpLike, "\"~\" (write regexp_matches(x, '…'))"), (exp.Tuple, "tuples (write [a, b] for a list)"),
    (exp.PositionalColumn, "columns by number"),
    *((kind, "operators on bits") for kind in (exp.BitwiseAnd, exp.BitwiseOr, exp.BitwiseNot)),
    (exp.BitwiseLeftShift, '"<<" (write x * pow(2, n))'), (exp.BitwiseRightShift, '">>" (write x // 2)'),
    (exp.Command, "statements"), (exp.DDL, "statements"), (exp.Slice, "slices (write substring(x, from, length))"),
]  # fmt: skip


class _Sql(str):
    """SQL text of one value, which may be JSON: then only what knows JSON may take it."""

    __slots__ = ()
    is_json = False


class _Json(_Sql):
    __slots__ = ()
    is_json = True


def _said(text: str, gives_json: bool) -> _Sql:
    return _Json(text) if gives_json else _Sql(text)


class Renderer:
    """For one expression at `place`. Without a schema it checks all but the columns."""

    def __init__(self, place: Place, schema: Schema | None) -> None:
        self._place = place
        self._schema = schema

    def render(self, tree: exp.Expr) -> str:
        return str(self.any(tree))

    def refusal(self, message: str) -> PipelineError:
        return PipelineError(self._place, message)

    def any(self, node: object) -> _Sql:
        if not isinstance(node, exp.Expr):
            raise self.refusal("a value is missing")
        say = _SAY.get(type(node))
        if say is None:
            what = next((words for kind, words in _REFUSED if isinstance(node, kind)), node.key.upper())
            raise self.refusal(f"{what} can't be used in an expression")
        sql = say(self, node)
        if len(sql) > _LONGEST_SQL:  # here, as each cast to a whole number says its value four times
            raise self.refusal("this grows too large by casts within casts; derive some of it in an earlier step")
        return sql if isinstance(sql, _Sql) else _Sql(sql)

    def plain(self, node: object) -> str:
        """A value that operators and functions can take as it is."""
        sql = self.any(node)
        if sql.is_json:
            said = f'"{node.name}"' if isinstance(node, exp.Column) else "this"
            raise self.refusal(f"{said} holds JSON; take a part of it as text with ->> '$.key', or CAST it to a type")
        return sql

    def args(self, node: exp.Expr, *names: str) -> tuple[object, ...]:
        """The node's children by name. A child that we would not say again must not be there at all."""
        for name, value in node.args.items():
            if name not in names and name not in _SAYS_NOTHING and value not in (None, False, []):
                raise self.refusal(f"{name.replace('_', ' ').upper()} can't be used with {node.key.upper()}")
        return tuple(node.args.get(name) for name in names)

    def type(self, raw_type: str) -> str:
        try:
            return parse_type(raw_type)
        except UnknownType as error:
            raise self.refusal(str(error)) from None

    def column(self, names: list[str]) -> _Sql:
        """A column, or a part of one that holds JSON: `address.city`."""
        head, *keys = names
        if self._schema is None:
            return _Sql(quote_name(head))
        column = self._schema.find(head)
        if column is None:
            raise self.refusal(self._no_column(names, self._schema))
        if keys and column.type != "JSON":
            raise self.refusal(f'"{column.name}" is {column.type} and has no part "{excerpt(keys[0])}"')
        if keys:
            return _Sql(f"({quote_name(column.name)} ->> {quote_text(json_pointer(keys))})")
        return _said(quote_name(column.name), is_json(column.type))

    def _no_column(self, names: list[str], schema: Schema) -> str:
        whole: Column | None = schema.find(".".join(names))
        if whole is not None:
            return f'no column "{names[0]}"; write the name in double quotes: {quote_name(whole.name)}'
        why = NO_CLOCK if names[0].lower() in CLOCK_WORDS else did_you_mean(names[0], schema.names)
        return f'no column "{excerpt(names[0])}"; {why}'


_Say = Callable[[Renderer, exp.Expr], str]


def _binary(to: Renderer, node: exp.Expr) -> str:
    left, right = to.args(node, "this", "expression")
    return f"({to.plain(left)} {_BINARY[type(node)]} {to.plain(right)})"


def _like(to: Renderer, node: exp.Expr) -> str:
    value, pattern, negate = to.args(node, "this", "expression", "negate")
    operator = f"NOT {_BINARY[type(node)]}" if negate else _BINARY[type(node)]
    return f"({to.plain(value)} {operator} {bounds.sought(to.plain(pattern))})"


def _join(to: Renderer, node: exp.Expr) -> str:
    """A chain is bounded as a whole."""
    parts: list[str] = []
    while isinstance(node, exp.DPipe):
        left, right = to.args(node, "this", "expression")
        parts.insert(0, to.plain(right))
        node = left  # type: ignore[assignment]  # to.plain refuses what is no expression
    parts.insert(0, to.plain(node))
    return bounds.joined(parts, bounds.balanced(parts))


def _literal(to: Renderer, node: exp.Expr) -> str:
    text = str(node.this)
    if node.args.get("is_string"):
        if "\0" in text:
            raise to.refusal("a text can't hold the NUL character")
        return quote_text(text)
    if not _NUMBER.fullmatch(text):
        raise to.refusal(f'"{excerpt(text)}" is no number')
    if math.isinf(float(text)):
        raise to.refusal(f"{excerpt(text)} is too large for a number")
    return text


def _column(to: Renderer, node: exp.Expr) -> str:
    to.args(node, "this", "table", "db", "catalog")
    parts = [node.args.get(name) for name in ("catalog", "db", "table", "this")]
    if any(part is not None and not isinstance(part, exp.Identifier) for part in parts):
        raise to.refusal('"*" can\'t be used in an expression')
    return to.column([part.name for part in parts if isinstance(part, exp.Identifier)])


def _dot(to: Renderer, node: exp.Expr) -> str:
    keys: list[str] = []
    while isinstance(node, exp.Dot):
        if not isinstance(node.expression, exp.Identifier):
            raise to.refusal("a function's name has no dot")
        keys.insert(0, node.expression.name)
        node = node.this
    if not isinstance(node, exp.Column):
        raise to.refusal("only a column has parts after a dot; elsewhere write ->> '$.key'")
    return to.column([part.name for part in node.parts] + keys)


def _json_part(to: Renderer, node: exp.Expr) -> str:
    value, path = to.args(node, "this", "expression")
    if not isinstance(path, exp.Literal):
        raise to.refusal("after -> and ->> stands a path such as '$.key', or a number")
    gives_json = isinstance(node, exp.JSONExtract) and not isinstance(node, exp.JSONExtractScalar)
    operator = "->" if gives_json else "->>"
    return _said(f"({to.any(value)} {operator} {_literal(to, path)})", gives_json)


def _cast(to: Renderer, node: exp.Expr) -> str:
    value, target = to.args(node, "this", "to")
    to_type = to.type(target.sql(dialect="duckdb") if isinstance(target, exp.DataType) else "")
    sql = to.any(value)
    scalar_of_json = sql.is_json and to_type != "JSON" and not to_type.endswith("[]")
    said = f"({sql} ->> '$')" if scalar_of_json else sql
    cast = "TRY_CAST" if isinstance(node, exp.TryCast) else "CAST"
    return _said(cast_sql(said, to_type, cast), is_json(to_type))


def _case(to: Renderer, node: exp.Expr) -> str:
    subject, ifs, default = to.args(node, "this", "ifs", "default")
    said = "CASE" if subject is None else f"CASE {to.plain(subject)}"
    for branch in ifs if isinstance(ifs, list) else []:
        condition, value = to.args(branch, "this", "true")
        said += f" WHEN {to.plain(condition)} THEN {to.plain(value)}"
    return f"({said}" + (f" ELSE {to.plain(default)}" if default is not None else "") + " END)"


def _in(to: Renderer, node: exp.Expr) -> str:
    if not node.expressions:
        raise to.refusal("IN needs a list of values: x IN (1, 2)")
    value, _ = to.args(node, "this", "expressions")
    return f"({to.plain(value)} IN ({', '.join(to.plain(choice) for choice in node.expressions)}))"


def _between(to: Renderer, node: exp.Expr) -> str:
    value, low, high = to.args(node, "this", "low", "high")
    return f"({to.plain(value)} BETWEEN {to.plain(low)} AND {to.plain(high)})"


def _is(to: Renderer, node: exp.Expr) -> str:
    value, what = to.args(node, "this", "expression")
    if not isinstance(what, exp.Null | exp.Boolean):
        raise to.refusal("after IS stands NULL, TRUE or FALSE")
    said = to.any(value) if isinstance(what, exp.Null) else to.plain(value)
    return f"({said} IS {to.plain(what)})"


def _escape(to: Renderer, node: exp.Expr) -> str:
    like, char = to.args(node, "this", "expression")
    if not isinstance(like, exp.Like | exp.ILike):
        raise to.refusal("ESCAPE belongs to LIKE")
    return f"{_like(to, like).removesuffix(')')} ESCAPE {to.plain(char)})"


def _index(to: Renderer, node: exp.Expr) -> str:
    value, indexes = to.args(node, "this", "expressions")
    if not isinstance(indexes, list) or len(indexes) != 1:
        raise to.refusal("an index is one number: tags[1]")
    return f"({to.plain(value)}[{to.plain(indexes[0])}])"


def _interval(to: Renderer, node: exp.Expr) -> str:
    amount, unit = to.args(node, "this", "unit")
    name = unit.name.upper().removesuffix("S") if isinstance(unit, exp.Var) else ""
    if name not in _UNITS or not isinstance(amount, exp.Literal) or not re.fullmatch(r"-?\d{1,9}", str(amount.this)):
        raise to.refusal("an interval is a whole number and a unit: INTERVAL 3 DAY")
    return f"INTERVAL '{amount.this}' {name}"


def _extract(to: Renderer, node: exp.Expr) -> str:
    part, value = to.args(node, "this", "expression")
    name = part.name.upper() if isinstance(part, exp.Expr) else ""
    if name not in _PARTS:
        raise to.refusal(f'EXTRACT knows no "{excerpt(name)}"; {did_you_mean(name, _PARTS)}')
    return f"extract({name} FROM {to.plain(value)})"


def _call(to: Renderer, node: exp.Expr) -> str:
    name, arguments = to.args(node, "this", "expressions")
    function = FUNCTIONS.get(str(name).lower())
    if function is None:
        why = LEFT_OUT.get(str(name).lower()) or did_you_mean(str(name).lower(), FUNCTIONS)
        raise to.refusal(f'no function "{excerpt(name)}"; {why}')
    given = arguments if isinstance(arguments, list) else []
    said = [to.any(value) if function.takes_json and not i else to.plain(value) for i, value in enumerate(given)]
    try:
        return _said(call_sql(function, given, said), function.gives_json)
    except CallRefused as error:
        raise to.refusal(str(error)) from None


_SAY: dict[type[exp.Expr], _Say] = {
    **dict.fromkeys(_BINARY, _binary),
    exp.DPipe: _join,
    exp.Like: _like,
    exp.ILike: _like,
    exp.Literal: _literal,
    exp.Boolean: lambda _, node: "TRUE" if node.this else "FALSE",
    exp.Null: lambda _, __: "NULL",
    exp.Column: _column,
    exp.Dot: _dot,
    exp.Paren: lambda to, node: to.any(node.this),
    exp.Not: lambda to, node: f"(NOT {to.plain(node.this)})",
    exp.Neg: lambda to, node: f"(- {to.plain(node.this)})",
    exp.JSONExtract: _json_part,
    exp.JSONExtractScalar: _json_part,
    exp.Cast: _cast,
    exp.TryCast: _cast,
    exp.Case: _case,
    exp.In: _in,
    exp.Between: _between,
    exp.Is: _is,
    exp.Escape: _escape,
    exp.Bracket: _index,
    exp.Array: lambda to, node: f"[{', '.join(to.plain(value) for value in node.expressions)}]",
    exp.Interval: _interval,
    exp.Extract: _extract,
    exp.Anonymous: _call,
}
