"""What a drain tells while it works; the command line shows it as a bar or as lines of JSON."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from partwarden.draining.plan import Method, Plan
from partwarden.errors import TimeIsUp


@dataclass(frozen=True)
class Planned:
    """What is going to be done. ``resumed`` says that an interrupted run is gone on with."""

    plan: Plan
    resumed: bool = False


@dataclass(frozen=True)
class Step:
    """The next part of the work begins, in words for a person."""

    name: str


@dataclass(frozen=True)
class Progress:
    """So many rows of so many are done in this step."""

    step: str
    rows: int
    of: int


@dataclass(frozen=True)
class Waiting:
    """Another session is in the way: what is waited for, and who it is, in words."""

    what: str
    who: str


@dataclass(frozen=True)
class Finished:
    """The end. ``locked_ms`` is the longest time that the parent was locked against readers, without waiting for it."""

    method: Method
    rows_moved: int
    partitions_made: int
    rows_staying: int
    seconds: float
    locked_ms: float

    def plus(self, other: Finished) -> Finished:
        """The sum of two passes over one set."""
        return Finished(
            self.method,
            self.rows_moved + other.rows_moved,
            self.partitions_made + other.partitions_made,
            other.rows_staying,
            self.seconds + other.seconds,
            max(self.locked_ms, other.locked_ms),
        )


Event = Planned | Step | Progress | Waiting | Finished
Tell = Callable[[Event], None]


def tell_nobody(_: object) -> None:
    """For a caller who only wants to know how it ends."""


Told = TypeVar("Told")


def until(seconds: float | None, tell: Callable[[Told], None]) -> Callable[[Told], None]:
    """``tell``, and from so many seconds on TimeIsUp, raised between two steps: what is done stays, nothing is lost."""
    if seconds is None:
        return tell
    deadline = time.monotonic() + seconds

    def tell_in_time(event: Told) -> None:
        tell(event)
        if time.monotonic() > deadline and not isinstance(event, Finished):
            raise TimeIsUp(f"{seconds:g} seconds are over", remedy="nothing is lost: the same command goes on")

    return tell_in_time
