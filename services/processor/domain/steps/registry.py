"""The steps that a pipeline may hold. A new step is a file beside this one, and a line here."""

from services.processor.domain.steps.aggregate import parse_aggregate
from services.processor.domain.steps.cast import parse_cast
from services.processor.domain.steps.deduplicate import parse_deduplicate
from services.processor.domain.steps.derive import parse_derive
from services.processor.domain.steps.drop import parse_drop
from services.processor.domain.steps.filter import parse_filter
from services.processor.domain.steps.join import parse_join
from services.processor.domain.steps.limit import parse_limit
from services.processor.domain.steps.rename import parse_rename
from services.processor.domain.steps.select import parse_select
from services.processor.domain.steps.sort import parse_sort
from services.processor.domain.steps.step import StepParser

STEPS: dict[str, StepParser] = {
    "derive": parse_derive,
    "rename": parse_rename,
    "drop": parse_drop,
    "select": parse_select,
    "cast": parse_cast,
    "filter": parse_filter,
    "join": parse_join,
    "deduplicate": parse_deduplicate,
    "aggregate": parse_aggregate,
    "sort": parse_sort,
    "limit": parse_limit,
}
