"""Samples as Prometheus reads them.

https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

from partwarden.metrics.measure import measure
from partwarden.metrics.metric import Family, Labels, Per
from partwarden.metrics.seen import MOST_SETS
from partwarden.metrics.tally import Tally
from partwarden.survey import Survey

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def render(
    surveys: Sequence[Survey], *, per: Per = Per.SET, most_sets: int = MOST_SETS, tally: Tally | None = None
) -> str:
    """What ``/metrics`` answers, or a textfile holds; the arguments are those of ``measure``."""
    return written(measure(surveys, per=per, most_sets=most_sets, tally=tally))


def written(families: Iterable[Family]) -> str:
    """The families in the text format."""
    return "".join(f"{line}\n" for family in families for line in _lines(family))


def _lines(family: Family) -> Iterator[str]:
    metric = family.metric
    yield f"# HELP {metric.name} {metric.help}"
    yield f"# TYPE {metric.name} {metric.kind}"
    for labels, value in family.samples:
        yield f"{metric.name}{_labels(labels)} {_number(value)}"


def _labels(labels: Labels) -> str:
    return "{" + ",".join(f'{name}="{_escaped(text)}"' for name, text in labels.items()) + "}"


def _escaped(text: str) -> str:
    """A line end has become visible before, and needs no escape of its own."""
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _number(value: float) -> str:
    if isinstance(value, int) or math.isfinite(value):
        return repr(value)
    return "+Inf" if value > 0 else "-Inf" if value < 0 else "NaN"
