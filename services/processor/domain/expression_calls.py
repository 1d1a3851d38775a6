"""Calls as SQL: with as many arguments as the function takes, and with bounds where it needs them."""

from collections.abc import Sequence

from sqlglot import exp

from services.processor.domain import expression_bounds as bounds
from services.processor.domain.expression_functions import LONGEST_PADDING, LONGEST_SEPARATOR, Function


class CallRefused(ValueError):  # noqa: N818 - an error states the fact
    """Its text says what the function takes."""


def call_sql(function: Function, given: Sequence[object], said: Sequence[str]) -> str:
    """`said` is the SQL of the arguments `given`. Raises CallRefused."""
    _check(function, given)
    arguments = list(said)
    if function.searches:
        arguments[1] = bounds.sought(arguments[1])
    if function.has_pattern:
        arguments[0] = _matched(function, arguments[0], given[1])
    call = f"{function.name}({', '.join(arguments)})"
    if function.growing_argument is not None:
        call = bounds.replaced(said[0], said[function.growing_argument], call)
    return bounds.joined(said, call) if function.joins else call


def _check(function: Function, given: Sequence[object]) -> None:
    if not function.fewest <= len(given) <= function.most:
        takes = str(function.fewest) if function.fewest == function.most else f"{function.fewest} to {function.most}"
        raise CallRefused(f"{function.name} takes {takes} arguments, not {len(given)}")
    if function.length_argument is not None:
        length = given[function.length_argument]
        if not (isinstance(length, exp.Literal) and length.is_int and int(str(length.this)) <= LONGEST_PADDING):
            raise CallRefused(f"the length that {function.name} pads to is a number, at most {LONGEST_PADDING}")
    if function.separator_argument is not None:
        separator = given[function.separator_argument]
        if not (isinstance(separator, exp.Literal) and len(str(separator.this)) <= LONGEST_SEPARATOR):
            most = f"of at most {LONGEST_SEPARATOR} characters"
            raise CallRefused(f"the separator of {function.name} is a text such as ', ', {most}")
    if function.part_argument is not None:
        part = given[function.part_argument]  # the engine compares one that it does not know with all that it knows
        if not (isinstance(part, exp.Literal) and part.is_string and len(str(part.this)) <= LONGEST_SEPARATOR):
            raise CallRefused(f"the part that {function.name} takes is a text such as 'year'")


def _matched(function: Function, text: str, pattern: object) -> str:
    if not (isinstance(pattern, exp.Literal) and pattern.is_string):
        raise CallRefused(f"the regular expression of {function.name} is a text such as '[0-9]+'")
    try:
        return bounds.matched(text, str(pattern.this))
    except bounds.PatternTooLarge as error:
        raise CallRefused(str(error)) from None
