"""Lengths of time as people write them."""

from __future__ import annotations

import re

from partwarden.errors import BadOption

_UNITS = {
    0.001: ("ms",),
    1: ("s", "sec", "secs", "second", "seconds"),
    60: ("m", "min", "mins", "minute", "minutes"),
    3600: ("h", "hour", "hours"),
}
_SECONDS = {name: length for length, names in _UNITS.items() for name in names}
_TEXT = re.compile(r"\s*(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>[a-z]+)\s*", re.IGNORECASE)


def seconds(option: str, text: str) -> float:
    """``'20ms'``, ``'30 seconds'`` or ``'2 hours'`` as seconds. Raises BadOption for anything else."""
    match = _TEXT.fullmatch(text)
    length = _SECONDS.get(match["unit"].lower()) if match else None
    if match is None or length is None:
        raise BadOption(f"{option} {text}: this is no length of time", remedy="'20ms', '30s', '5 minutes', '2 hours'")
    return float(match["number"]) * length
