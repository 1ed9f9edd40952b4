"""How wide partitions are: a length of time, as PostgreSQL writes intervals, or a number of ids."""

from __future__ import annotations

import re

_NUMBER = re.compile(r"[0-9][0-9_]*")

# What a number and its unit are in seconds, by what PostgreSQL calls it; months and years are about so long.
_UNITS = {
    "microsecond": 1e-6,
    "us": 1e-6,
    "millisecond": 1e-3,
    "ms": 1e-3,
    "second": 1,
    "sec": 1,
    "s": 1,
    "minute": 60,
    "min": 60,
    "hour": 3600,
    "hr": 3600,
    "h": 3600,
    "day": 86400,
    "d": 86400,
    "week": 604800,
    "w": 604800,
    "month": 2629800,
    "mon": 2629800,
    "year": 31557600,
    "yr": 31557600,
    "y": 31557600,
    "decade": 315576000,
    "century": 3155760000,
    "centurie": 3155760000,
    "millennium": 31557600000,
    "millennia": 31557600000,
}
_CLOCK = re.compile(r"(?:(?P<h>\d+):)(?P<m>[0-5]?\d)(?::(?P<s>[0-5]?\d(?:\.\d+)?))?")
_AMOUNT = re.compile(r"(?P<n>\d+(?:\.\d+)?)\s*(?P<unit>[a-z]+)")


def seconds_of(interval: str) -> float | None:
    """How long an interval is, about; None for one that takes PostgreSQL to understand."""
    text = interval.strip().lower().removeprefix("@").strip()
    total = 0.0
    position = 0
    while position < len(text):
        if clock := _CLOCK.match(text, position):
            total += int(clock["h"]) * 3600 + int(clock["m"]) * 60 + float(clock["s"] or 0)
            position = clock.end()
        elif amount := _AMOUNT.match(text, position):
            unit = amount["unit"]
            seconds = _UNITS.get(unit, _UNITS.get(unit.removesuffix("s")))
            if seconds is None:
                return None
            total += float(amount["n"]) * seconds
            position = amount.end()
        else:
            return None
        while position < len(text) and text[position] in " ,\t":
            position += 1
    return total if text else None


def is_number(interval: str) -> bool:
    """Whether partitions are as many ids wide, rather than as long."""
    return _NUMBER.fullmatch(interval) is not None
