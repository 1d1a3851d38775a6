"""What EventBridge would refuse is refused before anything is stored, and the field is named."""

import pytest

from services.processor.domain.pipeline_errors import PipelineError, Place
from services.processor.domain.schedule_expressions import parse_schedule

PLACE = Place(("triggers",)).at(0).at("schedule")


@pytest.mark.parametrize(
    "expression",
    [
        "rate(1 minute)",
        "rate(5 minutes)",
        "rate(1 day)",
        "rate(12 hours)",
        "cron(0 10 * * ? *)",
        "cron(15 12 * * ? *)",
        "cron(0 18 ? * MON-FRI *)",
        "cron(0/10 * ? * mon,wed,fri *)",
        "cron(0 8 1 * ? *)",
        "cron(*/15 0-5,20-23 L JAN-mar ? 2026-2030)",
        "cron(0 9 15W * ? *)",
        "cron(0 9 LW * ? *)",
        "cron(0 9 ? * 2#1 *)",
        "cron(0 9 ? * 6L *)",
    ],
)
def test_what_eventbridge_understands_is_kept_as_it_is(expression: str) -> None:
    assert parse_schedule(expression, PLACE) == expression


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("", "is no schedule"),
        ("hourly", "is no schedule"),
        ("rate(0 minutes)", "is no schedule"),
        ("rate(-1 minutes)", "is no schedule"),
        ("rate(5 seconds)", "is no schedule"),
        ("rate(1 minutes)", 'written "rate\\(1 minute\\)"'),
        ("rate(5 minute)", 'written "rate\\(5 minutes\\)"'),
        ("rate(5 minutes) ", "is no schedule"),
        ("rate(\u0665 minutes)", "is no schedule"),
        ("cron(0 10 * * *)", "is no schedule"),
        ("cron(60 10 * * ? *)", "minutes"),
        ("cron(0 24 * * ? *)", "hours"),
        ("cron(0 10 0 * ? *)", "day-of-month"),
        ("cron(0 10 32W * ? *)", "day-of-month"),
        ("cron(0 10 * 13 ? *)", "month"),
        ("cron(0 10 * FOO ? *)", "month"),
        ("cron(0 10 ? * 8 *)", "day-of-week"),
        ("cron(0 10 ? * 2#6 *)", "day-of-week"),
        ("cron(0 10 * * ? 1969)", "year"),
        ("cron(0/0 10 * * ? *)", "minutes"),
        ("cron(0/x 10 * * ? *)", "minutes"),
        ("cron(1-2-3 10 * * ? *)", "minutes"),
        ("cron(, 10 * * ? *)", "minutes"),
        ("cron(0 10 * * * *)", "day-of-month and day-of-week"),
        ("cron(0 10 ? * ? *)", "day-of-month and day-of-week"),
        ("cron(? 10 * * ? *)", "only day-of-month or day-of-week"),
        ("rate(1 hour)" * 30, "such as"),
        (7, "a schedule is a text"),
        (None, "a schedule is a text"),
    ],
)
def test_what_it_would_refuse_is_named(expression: object, says: str) -> None:
    with pytest.raises(PipelineError, match=says):
        parse_schedule(expression, PLACE)
