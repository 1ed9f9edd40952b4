"""Schedules as pg_cron takes them: five fields, or so many seconds."""

from __future__ import annotations

import re

_SECONDS = re.compile(r"([1-9]|[1-5][0-9]) seconds?", re.IGNORECASE)
_FIELDS = (("minute", 0, 59, ""), ("hour", 0, 23, ""), ("day of the month", 1, 31, ""))
_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec"
_DAYS = "sun mon tue wed thu fri sat"
_CRON_FIELDS = (*_FIELDS, ("month", 1, 12, _MONTHS), ("day of the week", 0, 7, _DAYS))
_NICKNAMES = ("@hourly", "@daily", "@midnight", "@weekly", "@monthly")


def checked_schedule(text: str) -> str:
    """The schedule, with single spaces. Raises ValueError for what pg_cron would not take, or never start."""
    text = " ".join(text.split())
    if text.lower() in _NICKNAMES or _SECONDS.fullmatch(text):
        return text
    if text.startswith("@"):
        raise ValueError(f"pg_cron has {', '.join(_NICKNAMES)} only; what else it takes it never starts")
    if re.fullmatch(r"[0-9]+ seconds?", text, re.IGNORECASE):
        raise ValueError("pg_cron takes 1 to 59 seconds; from a minute on, it takes five fields: */5 * * * *")
    fields = text.split(" ")
    if len(fields) != len(_CRON_FIELDS):
        raise ValueError(
            "this is not a schedule of pg_cron's: it has five fields (minute, hour, day, month, day of the week), "
            "as in 0 * * * *, or it says N seconds"
        )
    for field, (name, low, high, words) in zip(fields, _CRON_FIELDS, strict=True):
        _check_field(field, name, low, high, words.split())
    return text


def _check_field(field: str, name: str, low: int, high: int, words: list[str]) -> None:
    for part in field.split(","):
        span, _, step = part.partition("/")
        if step and (not step.isdigit() or int(step) == 0):
            raise ValueError(f"the {name} of this schedule has a step that is no number: /{step}")
        ends = [] if span == "*" or (span == "$" and name == "day of the month") else span.split("-")
        numbers = []
        for end in ends:
            if end.lower()[:3] in words:
                numbers.append(words.index(end.lower()[:3]) + (1 if name == "month" else 0))
            elif end.isdigit() and low <= int(end) <= high:
                numbers.append(int(end))
            else:
                raise ValueError(f"the {name} of this schedule is from {low} to {high}: {end or part} is not")
        if len(numbers) > 2 or (len(numbers) == 2 and numbers[0] > numbers[1]):
            raise ValueError(f"the {name} of this schedule runs backwards: {span}; pg_cron would never start it")
