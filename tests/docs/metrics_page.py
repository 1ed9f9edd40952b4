"""The page docs/reference/metrics.md: every metric, from the definitions that the program measures by."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from partwarden.metrics.measure import COUNTED, ROOMS
from partwarden.metrics.metric import Kind, Per, Room

NAME = "reference/metrics.md"

_HEAD = """\
# Metrics

Every metric that partwarden writes for Prometheus, and where it exports to a collector, for OpenTelemetry. How to get them
there, alert rules and a dashboard: [metrics](../metrics.md).

Names and labels stay: a metric may be added in any release, none goes away or changes its meaning within one major version.
Times are seconds since 1970, lengths are seconds, sizes are bytes. All are gauges but those that end with `_total`. What is not
known has no sample.

Written from the program; a test fails when this page says otherwise.
"""


def page() -> str:
    """The whole page."""
    return "\n".join([_HEAD, *(line for room in ROOMS for line in _section(room))])


def _section(room: Room[Any, Any]) -> Iterator[str]:
    yield f"## {room.of}\n"
    yield f"Labels: {', '.join(f'`{label}`' for label in room.labels)}.{_when(room)}\n"
    yield "| metric | |\n| --- | --- |"
    for metric in room.metrics:
        kind = " A counter." if metric.kind is Kind.COUNTER else ""
        yield f"| `{metric.name}` | {metric.help.replace('|', chr(92) + '|')}{kind} |"
    yield ""


def _when(room: Room[Any, Any]) -> str:
    if room in COUNTED:
        return " Not in a textfile, of which there may be several."
    match room.per:
        case Per.SET:
            return " Not with `--metrics-per database`."
        case Per.PARTITION:
            return " With `--metrics-per partition` only."
        case _:
            return ""
