"""What a metric is: a number that is asked of each thing of one kind, under a name that says its unit."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any, Generic, TypeVar

Subject = TypeVar("Subject")
"""What is measured: a database, a partition set, a job."""
Source = TypeVar("Source")
"""Where the subjects are found."""

Labels = dict[str, str]
Sample = tuple[Labels, float]


class Kind(StrEnum):
    """What Prometheus calls the type."""

    GAUGE = "gauge"
    COUNTER = "counter"


class Per(IntEnum):
    """How far into a database the series go; each level has those of the levels before."""

    DATABASE = 1
    SET = 2
    PARTITION = 3

    @property
    def word(self) -> str:
        """As the command line writes it."""
        return self.name.lower()


@dataclass(frozen=True)
class Metric(Generic[Subject]):
    """One number. ``value`` is None where it is not known: then there is no sample, which is not the same as 0.

    Names follow https://prometheus.io/docs/practices/naming/: base units, ``_total`` for counters and nothing else.
    """

    name: str
    help: str
    value: Callable[[Subject], float | None]
    kind: Kind = Kind.GAUGE

    @property
    def unit(self) -> str:
        """As UCUM writes it, for OpenTelemetry; empty for what is counted, or only told apart."""
        return next((unit for ending, unit in (("_seconds", "s"), ("_bytes", "By")) if self.name.endswith(ending)), "")


@dataclass(frozen=True)
class Room(Generic[Source, Subject]):
    """The metrics of one kind of subject, and the labels that tell one from another.

    ``found`` are the values of ``labels`` and the subject, for each that there is in a source.
    """

    of: str
    labels: tuple[str, ...]
    found: Callable[[Source], Iterable[tuple[tuple[str, ...], Subject]]]
    metrics: tuple[Metric[Subject], ...]
    per: Per = Per.DATABASE


@dataclass(frozen=True)
class Family:
    """A metric with its samples, of which no two have the same labels."""

    metric: Metric[Any]
    samples: tuple[Sample, ...]
