"""SQL scalar expressions: what a client writes in a filter, a derived column or a test.

`parse_expression` accepts text that the closed allow-list of `expression_sql` can say again. The client's own text
goes no further: the engine runs what `render` builds from the tree.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.errors import SqlglotError
from sqlglot.parsers.duckdb import DuckDBParser
from sqlglot.tokenizer_core import Token, TokenType

from services.processor.domain.excerpts import excerpt
from services.processor.domain.expression_sql import Renderer
from services.processor.domain.pipeline_errors import PipelineError, Place
from services.processor.domain.schema_of_records import Schema

_LONGEST_TEXT = 4000
_MOST_NODES = 400
_DEEPEST = 40
_CHAINED = (exp.And, exp.Or, exp.Add, exp.Mul, exp.DPipe)
_OPENING = frozenset({TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE, TokenType.CASE})
_CLOSING = frozenset({TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE, TokenType.END})


class _Parser(DuckDBParser):
    """Reads no function: each call stays a name with arguments, for our own list to judge."""

    FUNCTIONS: ClassVar[dict[str, Any]] = {}
    FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {
        name: DuckDBParser.FUNCTION_PARSERS[name] for name in ("CAST", "TRY_CAST", "EXTRACT")
    }
    NO_PAREN_FUNCTIONS: ClassVar[dict[Any, Any]] = {}
    NO_PAREN_FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {"CASE": DuckDBParser.NO_PAREN_FUNCTION_PARSERS["CASE"]}
    LAMBDAS: ClassVar[dict[Any, Any]] = {}


class _Dialect(DuckDB):
    """DuckDB's operators; what stands in brackets and after arrows stays as it was written."""

    Parser = _Parser
    INDEX_OFFSET = 0

    def to_json_path(self, path: exp.Expr | None) -> exp.Expr | None:
        return path


_DIALECT = _Dialect()


@dataclass(frozen=True, slots=True)
class Expression:
    """A checked expression and where it stands. It may still name columns that don't exist: `render` tells."""

    place: Place
    tree: exp.Expr

    def render(self, schema: Schema) -> str:
        """DuckDB SQL over the columns of `schema`; raises PipelineError for a column that is not there."""
        return Renderer(self.place, schema).render(self.tree)


def parse_expression(raw_text: object, place: Place) -> Expression:
    """Raises PipelineError for whatever is not on the allow-list, with its name and what is allowed instead."""
    return whole(parse_tree(raw_text, place), place)


def whole(tree: exp.Expr, place: Place) -> Expression:
    """A tree whose every node is on the allow-list; raises PipelineError for another."""
    Renderer(place, None).render(tree)
    return Expression(place, tree)


def parse_tree(raw_text: object, place: Place) -> exp.Expr:
    """Text as the parser understands it, within the limits of an expression. What its nodes are, `whole` checks."""
    if not isinstance(raw_text, str) or not raw_text.strip():
        raise PipelineError(place, 'an expression is text such as "amount > 10"')
    if len(raw_text) > _LONGEST_TEXT:
        raise PipelineError(
            place, f"an expression has at most {_LONGEST_TEXT:,} characters, this has {len(raw_text):,}"
        )
    try:
        raw_text.encode()
    except UnicodeEncodeError:
        raise PipelineError(place, "an expression holds half of a surrogate pair; write the whole character") from None
    try:
        tokens = _DIALECT.tokenize(raw_text)
        _check_tokens(tokens, place)
        trees = _DIALECT.parser().parse(tokens, raw_text)
    except SqlglotError as error:
        raise PipelineError(place, f"this is no SQL expression: {_reason(error)}") from None
    except RecursionError:
        raise PipelineError(place, _too_deep()) from None
    return _bounded(trees, place)


def _bounded(trees: list[exp.Expr | None], place: Place) -> exp.Expr:
    if len(trees) != 1 or trees[0] is None:
        raise PipelineError(place, "one expression is expected")
    tree = trees[0]
    if sum(1 for _ in tree.walk()) > _MOST_NODES:
        raise PipelineError(
            place, f"an expression has at most {_MOST_NODES} parts; derive some of it in an earlier step"
        )
    if _depth(tree) > _DEEPEST:
        raise PipelineError(place, _too_deep())
    return tree


def _check_tokens(tokens: list[Token], place: Place) -> None:
    depth = 0
    for token in tokens:
        if token.comments:
            raise PipelineError(place, "comments are not allowed; leave it out")
        if token.token_type is TokenType.SEMICOLON:
            raise PipelineError(place, 'one expression is expected, without ";"')
        depth += (token.token_type in _OPENING) - (token.token_type in _CLOSING)
        if depth > _DEEPEST:
            raise PipelineError(place, _too_deep())


def _depth(tree: exp.Expr) -> int:
    """How deep it nests; `a OR b OR c` is one level, however the parser groups it."""
    deepest, found = 0, [(tree, 1)]
    while found:
        node, depth = found.pop()
        deepest = max(deepest, depth)
        for child in node.iter_expressions():
            is_chained = type(child) is type(node) and isinstance(node, _CHAINED)
            found.append((child, depth if is_chained else depth + 1))
    return deepest


def _too_deep() -> str:
    return f"an expression nests at most {_DEEPEST} deep; derive some of it in an earlier step"


def _reason(error: SqlglotError) -> str:
    """The parser's own words, without its colours and its copy of the text."""
    found: list[dict[str, object]] = getattr(error, "errors", [])
    if not found:
        return excerpt(str(error).split("\n", 1)[0], 100)
    first = found[0]
    if "missing for" in str(first["description"]):
        return f"a value is missing at character {first['col']}"
    if "Unexpected token" in str(first["description"]) and first.get("highlight"):
        return f'"{excerpt(first["highlight"])}" is not expected at character {first["col"]}'
    near = f' near "{excerpt(first["highlight"])}"' if first.get("highlight") else ""
    return f"{excerpt(first['description'], 100)} at character {first['col']}{near}"
