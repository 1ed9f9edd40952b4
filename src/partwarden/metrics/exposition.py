"""Samples as Prometheus reads them.

https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

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


def written(families: Sequence[Family]) -> str:
    """The families in the text format."""
    return "".join(_lines(families))


def _lines(families: Sequence[Family]) -> Iterator[str]:
    pairs: dict[int, str] = {}  # the labels of a subject are the same object for all its metrics
    for metric, samples in ((family.metric, family.samples) for family in families):
        yield f"# HELP {metric.name} {metric.help}\n# TYPE {metric.name} {metric.kind}\n"
        for labels, value in samples:
            key = id(labels)
            if key not in pairs:
                pairs[key] = _labels(labels)
            yield f"{metric.name}{{{pairs[key]}}} {_number(value)}\n"


def _labels(labels: Labels) -> str:
    return ",".join(f'{name}="{_escaped(text)}"' for name, text in labels.items())


def _escaped(text: str) -> str:
    """A line end has become visible before, and needs no escape of its own."""
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _number(value: float) -> str:
    if isinstance(value, int) or math.isfinite(value):
        return repr(value)
    return "+Inf" if value > 0 else "-Inf" if value < 0 else "NaN"
