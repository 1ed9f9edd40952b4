"""What others felt of something, over several rounds of it: the tables of the stalls and of the wrong answers."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from bench.filled_set import PARENT, FilledSet
from bench.load import Kind, Loaded, Recorded, under_load
from bench.measure import table
from bench.targets import Target

STALL_MS = 50
"""The longest that anybody should have to wait. A count(*) of millions of rows takes longer by itself: it is held to what
it waits for locks."""

NOTHING = "nothing else"
_BY_ITSELF_SECONDS = 15

HELD_TO_IT = (Kind.INSERT_ORDINARY, Kind.INSERT_DEFAULT, Kind.UPDATE, Kind.PLAN)


@dataclass(frozen=True)
class Round:
    """One run of something under the load: how long it took, what the load saw, what was missing at the end.

    ``error`` is how it failed, and ``left`` how many rows were still in the default partition then.
    """

    seconds: float
    recorded: Recorded
    rows_lost: int
    updates_lost: int
    error: str | None = None
    left: int = 0

    @property
    def ended(self) -> str | None:
        """How it failed; None where it did not."""
        return None if self.error is None else f"{self.error} ({self.left:,} rows left)" if self.left else self.error


def loaded(filled: FilledSet, without: frozenset[Kind] = frozenset()) -> Loaded:
    """The load for a filled set."""
    return Loaded(filled.database.owner_dsn, PARENT, filled.all_rows, filled.rows, filled.since, filled.until, without)


def by_itself(filled: FilledSet) -> Round:
    """The load with nothing else: what it feels of itself, and of the machine."""
    with under_load(loaded(filled)) as recorded:
        time.sleep(_BY_ITSELF_SECONDS)
    return after(filled, _BY_ITSELF_SECONDS, recorded)


def after(filled: FilledSet, seconds: float, recorded: Recorded, error: str | None = None, left: int = 0) -> Round:
    """A round that has ended; looks into the set for what is missing."""
    load = loaded(filled)
    with filled.database.connect_owner() as owner:
        rows_lost, updates_lost = recorded.rows_lost(owner, load), recorded.updates_lost(owner, load)
    return Round(seconds, recorded, rows_lost, updates_lost, error, left)


def longest_ms(rounds: Sequence[Round], kind: Kind) -> float:
    """Of all rounds."""
    return max(each.recorded.felt[kind].longest for each in rounds) * 1000


def _were_any(rounds: Sequence[Round], kind: Kind) -> bool:
    return any(each.recorded.felt[kind].longest for each in rounds)


def stalls_table(found: dict[str, Sequence[Round]]) -> str:
    """The longest that a statement of each kind took, by what was done meanwhile."""
    rows = [
        (
            name,
            f"{median(each.seconds for each in rounds):,.1f}",
            *(f"{longest_ms(rounds, kind):,.0f}" if _were_any(rounds, kind) else "none" for kind in Kind),
            _told({each.ended for each in rounds}),
        )
        for name, rounds in found.items()
    ]
    return table(("meanwhile", "s, median", *(f"{kind}, ms" for kind in Kind), "how it ended"), rows)


def answers_table(found: dict[str, Sequence[Round]]) -> str:
    """What readers and writers were told that was not so, summed over all rounds, by what was done meanwhile."""
    rows = [
        (
            name,
            f"{sum(each.recorded.wrong for each in rounds)} of {sum(each.recorded.answers for each in rounds)}",
            f"{max(each.recorded.furthest for each in rounds):,}",
            f"{sum(each.recorded.updates_of_nothing for each in rounds):,}",
            f"{sum(felt.done for each in rounds for felt in each.recorded.felt.values()):,}",
            f"{sum(felt.errors.total() for each in rounds for felt in each.recorded.felt.values()):,}",
            _told({error for each in rounds for felt in each.recorded.felt.values() for error in felt.errors}),
            f"{sum(each.rows_lost for each in rounds):,}",
            f"{sum(each.updates_lost for each in rounds):,}",
        )
        for name, rounds in found.items()
    ]
    header = (
        "meanwhile", "wrong answers", "furthest out, rows", "updates that found no row", "statements", "failed", "how",
        "rows missing at the end", "updates missing",
    )  # fmt: skip
    return table(header, rows)


def stall_targets(what: str, rounds: Sequence[Round]) -> list[Target]:
    """Nobody waits, nobody is told what is not so, and nothing is missing.

    A run that failed may not have come to what makes others wait: its stalls are not measured then.
    """
    failed = sum(each.error is not None for each in rounds)
    return [
        *(
            Target(f"{what}: longest {kind}", "≤", STALL_MS, None if failed else longest_ms(rounds, kind), " ms")
            for kind in HELD_TO_IT
        ),
        Target(f"{what}: wrong answers to count(*)", "≤", 0, sum(each.recorded.wrong for each in rounds)),
        Target(
            f"{what}: statements of others that failed, or updates that found no row",
            "≤",
            0,
            sum(
                each.recorded.updates_of_nothing + sum(felt.errors.total() for felt in each.recorded.felt.values())
                for each in rounds
            ),
        ),
        Target(
            f"{what}: rows and updates missing, or twice there, at the end",
            "≤",
            0,
            sum(abs(each.rows_lost) + abs(each.updates_lost) for each in rounds),
        ),
        Target(f"{what}: runs that failed", "≤", 0, failed),
    ]


def _told(errors: set[str | None] | set[str]) -> str:
    told = sorted(error.replace("|", "/") for error in errors if error is not None)
    return "; ".join(told)
