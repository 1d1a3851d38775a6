"""The functions that a measure may be made of: each gives the same for the same records, whatever works on them.

Left out on purpose: whatever draws a sample or estimates (`approx_count_distinct`), and what grows with the number of
records (`list`, `string_agg`).
"""

from dataclasses import dataclass, replace

from sqlglot import exp

from services.processor.domain.excerpts import excerpt
from services.processor.domain.expression_functions import FUNCTIONS
from services.processor.domain.expressions import Expression, parse_tree, whole
from services.processor.domain.pipeline_errors import PipelineError, Place
from shared.nearest import did_you_mean


@dataclass(frozen=True, slots=True)
class Aggregate:
    name: str
    takes_json: bool = False
    uses_order: bool = False
    adds_up: bool = False  # of DOUBLE: where the engine's own sum depends on which thread adds what
    distinct: bool = False


_LISTED = [
    Aggregate("count", takes_json=True),
    Aggregate("count_if"),
    Aggregate("sum", adds_up=True),
    Aggregate("avg", adds_up=True),
    Aggregate("min"),
    Aggregate("max"),
    Aggregate("median"),
    Aggregate("bool_and"),
    Aggregate("bool_or"),
    Aggregate("first", takes_json=True, uses_order=True),
    Aggregate("last", takes_json=True, uses_order=True),
]
AGGREGATES = {aggregate.name: aggregate for aggregate in _LISTED}
_ONE_CALL = 'a measure is one call such as "SUM(total)"'
_BEHIND = "compute with what it gives in a derive behind this step"


@dataclass(frozen=True, slots=True)
class AggregateCall:
    aggregate: Aggregate
    argument: Expression


def parse_aggregate_call(raw_text: object, place: Place) -> AggregateCall:
    """`COUNT(*)`, `COUNT(DISTINCT x)`, `SUM(price * qty)`. Raises PipelineError for whatever else."""
    tree = parse_tree(raw_text, place)
    if not isinstance(tree, exp.Anonymous):
        raise PipelineError(place, f"{_ONE_CALL}; {_BEHIND}")
    name = str(tree.this).lower()
    aggregate = AGGREGATES.get(name)
    if aggregate is None and name in FUNCTIONS:
        raise PipelineError(place, f"{_ONE_CALL}, and {name} is no aggregate; {_BEHIND}")
    if aggregate is None:
        raise PipelineError(place, f'no aggregate "{excerpt(tree.this)}"; {did_you_mean(name, AGGREGATES)}')
    if len(tree.expressions) != 1:
        raise PipelineError(place, f"{name} takes one argument, not {len(tree.expressions)}")
    return _call(aggregate, tree.expressions[0], place)


def _call(aggregate: Aggregate, argument: exp.Expr, place: Place) -> AggregateCall:
    if isinstance(argument, exp.Star) and aggregate.name == "count":
        return AggregateCall(aggregate, Expression(place, exp.true()))
    if not isinstance(argument, exp.Distinct):
        return AggregateCall(aggregate, whole(argument, place))
    if aggregate.name != "count" or len(argument.expressions) != 1 or argument.args.get("on"):
        raise PipelineError(place, "DISTINCT stands in COUNT(DISTINCT x) alone, before one value")
    distinct = replace(aggregate, distinct=True, takes_json=False)
    return AggregateCall(distinct, whole(argument.expressions[0], place))
