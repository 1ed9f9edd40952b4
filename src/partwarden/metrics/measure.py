"""From surveys to samples: the one list of metrics that everything reads, whatever it is written as."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from partwarden.metrics.metric import Family, Metric, Per, Room
from partwarden.metrics.of_databases import DATABASES, FINDINGS, SERVERS
from partwarden.metrics.of_program import BUILD, COUNTS
from partwarden.metrics.of_records import INCIDENTS, INSTALLED, JOBS, RECORDS
from partwarden.metrics.of_sets import KINDS, PARTITIONS, SETS
from partwarden.metrics.seen import MOST_SETS, Seen, see
from partwarden.metrics.tally import Tally
from partwarden.report.text import visible
from partwarden.survey import Survey

Source = TypeVar("Source")

SURVEYED: tuple[Room[Seen, Any], ...] = (
    DATABASES,
    FINDINGS,
    SERVERS,
    SETS,
    KINDS,
    PARTITIONS,
    JOBS,
    RECORDS,
    INCIDENTS,
    INSTALLED,
)
COUNTED: tuple[Room[Tally, Any], ...] = (COUNTS, BUILD)
"""Of a program that goes on: a textfile has none of these, since two files would have the same series."""

ROOMS: tuple[Room[Any, Any], ...] = (*SURVEYED, *COUNTED)

_LONGEST = 200
"""A label is cut here: the name of a job, say, may have any length."""


def measure(
    surveys: Sequence[Survey], *, per: Per = Per.SET, most_sets: int = MOST_SETS, tally: Tally | None = None
) -> list[Family]:
    """The metrics that have samples, in the order of ``ROOMS``.

    ``per`` says how far into a database the series go, ``most_sets`` how many sets of each have some. With ``tally`` the
    metrics of the program are there too.
    """
    seen = see(surveys, per, most_sets)
    found = [family for room in SURVEYED if room.per <= per for family in _families(room, seen)]
    if tally is not None:
        found += [family for room in COUNTED for family in _families(room, (tally,))]
    return [family for family in found if family.samples]


def _families(room: Room[Source, Any], sources: Iterable[Source]) -> list[Family]:
    subjects: dict[tuple[str, ...], Any] = {}
    for source in sources:
        for values, subject in room.found(source):
            subjects.setdefault(tuple(map(_shown, values)), subject)  # two that look alike would be one series
    labelled = [(dict(zip(room.labels, values, strict=True)), subject) for values, subject in subjects.items()]
    return [_family(metric, labelled) for metric in room.metrics]


def _family(metric: Metric[Any], labelled: Iterable[tuple[dict[str, str], Any]]) -> Family:
    valued = ((labels, metric.value(subject)) for labels, subject in labelled)
    return Family(metric, tuple((labels, value) for labels, value in valued if value is not None))


def _shown(text: str) -> str:
    """A label's value: names and messages of a database may hold any character, and be of any length."""
    shown = text if text.isprintable() else visible(text)
    return shown if len(shown) <= _LONGEST else shown[: _LONGEST - 1] + "…"
