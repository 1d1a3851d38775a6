"""If-Match and If-None-Match, as RFC 9110 §13.1 has them."""

import pytest

from services.processor.domain.preconditions import PreconditionFailed, parse_precondition
from shared.errors import ValidationFailed

CURRENT = '"abc"'


@pytest.mark.parametrize(
    ("if_match", "if_none_match", "tag"),
    [
        (None, None, CURRENT),
        (None, None, None),
        (CURRENT, None, CURRENT),
        (f'"old" , {CURRENT}', None, CURRENT),
        ("*", None, CURRENT),
        (None, "*", None),
        (None, " * ", None),
    ],
)
def test_a_change_is_made(if_match: str | None, if_none_match: str | None, tag: str | None) -> None:
    parse_precondition(if_match, if_none_match).check(tag)


@pytest.mark.parametrize(
    ("if_match", "if_none_match", "tag"),
    [
        ('"old"', None, CURRENT),
        (f"W/{CURRENT}", None, CURRENT),
        ("", None, CURRENT),
        ("*", None, None),
        (CURRENT, None, None),
        (None, "*", CURRENT),
        (CURRENT, "*", CURRENT),
    ],
)
def test_a_change_is_refused(if_match: str | None, if_none_match: str | None, tag: str | None) -> None:
    with pytest.raises(PreconditionFailed):
        parse_precondition(if_match, if_none_match).check(tag)


def test_tags_in_if_none_match_are_not_understood() -> None:
    with pytest.raises(ValidationFailed) as caught:
        parse_precondition(None, CURRENT)
    assert caught.value.errors[0].pointer == "If-None-Match"
