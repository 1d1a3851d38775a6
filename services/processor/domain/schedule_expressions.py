"""When EventBridge runs something by itself: `rate(…)` or `cron(…)`, in UTC.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
"""

import re
from dataclasses import dataclass

from services.processor.domain.excerpts import excerpt
from services.processor.domain.pipeline_errors import PipelineError, Place

_LONGEST = 256
_RATE = re.compile(r"rate\(([1-9][0-9]{0,5}) (minute|hour|day)(s?)\)", re.ASCII)
_CRON = re.compile(r"cron\((\S+) (\S+) (\S+) (\S+) (\S+) (\S+)\)", re.ASCII)
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_EXAMPLES = 'such as "rate(1 hour)", or "cron(0 6 * * ? *)" for each day at 6:00 UTC'


@dataclass(frozen=True, slots=True)
class _Field:
    """One of the six of a cron expression. `special`: what else may stand for a value."""

    name: str
    least: int
    most: int
    names: tuple[str, ...] = ()
    special: str = ""

    def holds(self, text: str) -> bool:
        return text in {"*", "?"} or all(self._holds_item(item) for item in text.split(","))

    def _holds_item(self, item: str) -> bool:
        if self.special and re.fullmatch(self.special, item, re.ASCII):
            return True
        limits, slash, step = item.partition("/")
        if slash and not (step.isdecimal() and step.isascii() and int(step) >= 1):
            return False
        first, dash, last = limits.partition("-")
        if limits == "*":
            return bool(slash)
        return self._is_value(first) and (not dash or self._is_value(last))

    def _is_value(self, text: str) -> bool:
        if text.upper() in self.names:
            return True
        return re.fullmatch(r"[0-9]{1,4}", text, re.ASCII) is not None and self.least <= int(text) <= self.most


_FIELDS = (
    _Field("minutes", 0, 59),
    _Field("hours", 0, 23),
    _Field("day-of-month", 1, 31, special=r"L|LW|([1-9]|[12][0-9]|3[01])W"),
    _Field("month", 1, 12, _MONTHS),
    _Field("day-of-week", 1, 7, _DAYS, special=r"L|[1-7]L|[1-7]#[1-5]"),
    _Field("year", 1970, 2199),
)


def parse_schedule(raw: object, place: Place) -> str:
    """An expression that EventBridge understands, as the client wrote it.

    Raises:
        PipelineError: it names the place, the field of a cron expression and the remedy.
    """
    if not isinstance(raw, str) or len(raw) > _LONGEST:
        raise PipelineError(place, f"a schedule is a text, {_EXAMPLES}")
    if rate := _RATE.fullmatch(raw):
        _check_rate(raw, rate, place)
    elif cron := _CRON.fullmatch(raw):
        _check_cron(cron.groups(), place)
    else:
        raise PipelineError(place, f'"{excerpt(raw)}" is no schedule; write one {_EXAMPLES}')
    return raw


def _check_rate(raw: str, rate: re.Match[str], place: Place) -> None:
    count, unit, plural = rate.groups()
    if (count == "1") == bool(plural):
        right = f"rate({count} {unit}{'' if count == '1' else 's'})"
        raise PipelineError(place, f'"{raw}" has to be written "{right}"')


def _check_cron(texts: tuple[str, ...], place: Place) -> None:
    for field, text in zip(_FIELDS, texts, strict=True):
        if not field.holds(text):
            raise PipelineError(place, f'the {field.name} "{excerpt(text)}" are not right; see {_EXAMPLES}')
    if [texts[2], texts[4]].count("?") != 1:
        raise PipelineError(place, f'one of day-of-month and day-of-week has to be "?", the other not; {_EXAMPLES}')
    if "?" in (texts[0], texts[1], texts[3], texts[5]):
        raise PipelineError(place, 'only day-of-month or day-of-week can be "?"')
