"""What is measured of the program itself, where it goes on looking: its release, and how many looks failed."""

from __future__ import annotations

import platform
from collections.abc import Iterator

import partwarden
from partwarden.metrics.metric import Kind, Metric, Room
from partwarden.metrics.tally import Count, Tally


def _counts(tally: Tally) -> Iterator[tuple[tuple[str, ...], Count]]:
    for target, count in sorted(tally.counts().items()):
        yield (target,), count


COUNTS: Room[Tally, Count] = Room(
    "The looks at a database",
    ("target",),
    _counts,
    (
        Metric(
            "partwarden_surveys_total",
            "How often the database was looked at, or tried to, since the program began.",
            lambda count: count.surveys,
            Kind.COUNTER,
        ),
        Metric(
            "partwarden_survey_errors_total",
            "How often of those it could not be asked.",
            lambda count: count.errors,
            Kind.COUNTER,
        ),
    ),
)

BUILD: Room[Tally, None] = Room(
    "The program",
    ("version", "python"),
    lambda _: [((partwarden.__version__, platform.python_version()), None)],
    (
        Metric(
            "partwarden_build_info", "Which release of partwarden measures this, and its Python; always 1.", lambda _: 1
        ),
    ),
)
