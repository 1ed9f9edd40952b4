"""How much, how long, how many, as people say it."""

from __future__ import annotations

from datetime import timedelta

_SIZES = (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3))
_LENGTHS = (("years", 365.25 * 86400), ("months", 30.4375 * 86400), ("days", 86400.0), ("h", 3600.0), ("min", 60.0))
_COUNTS = (("E", 1e18), ("P", 1e15), ("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3))
_MANY = 999.5e18


def size(number: float) -> str:
    """Bytes: ``82.7 MB``; below a megabyte in whole kilobytes."""
    for unit, length in _SIZES[:-1]:
        if number >= length:
            return f"{number / length:.1f} {unit}"
    return f"{number / 1e3:.0f} kB"


def length(time: timedelta) -> str:
    """A length of time in the largest unit of which there are two: ``3 days``, ``41 min``, ``50 s``."""
    seconds = abs(time.total_seconds())
    for unit, one in _LENGTHS:
        if seconds >= 2 * one:
            return f"{seconds / one:.0f} {unit}"
    return f"{seconds:.0f} s"


def count(number: int) -> str:
    """A number in at most five letters, ``9,999``, ``18.2k``, ``2.4M``; what has more than 21 digits is ``many``."""
    if number >= _MANY:
        return "many"
    for unit, one in _COUNTS:
        # 999,700 is 1M: in thousands it would be a thousand of them.
        if number >= 10 * one or (number >= 0.9995 * one and unit != "k"):
            return f"{number / one:.3g}{unit}"
    return f"{number:,}"
