"""How a partition set grew, as a picture: a bar for every partition, to scale, with the table beside it as its words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from partwarden.report.amounts import count, size
from partwarden.web.reading.sets import Partition

WIDTH = 1000.0
HEIGHT = 120.0
_MOST_BARS = 250


@dataclass(frozen=True)
class Bar:
    """One partition, or several neighbours where there are too many to be told apart."""

    x: float
    y: float
    width: float
    height: float
    title: str


@dataclass(frozen=True)
class Growth:
    """The bars, how much the highest stands for, and how much all of them."""

    bars: tuple[Bar, ...]
    highest: str
    total: str
    first: str
    last: str


def draw(partitions: Sequence[Partition]) -> Growth | None:
    """The picture; None where no partition is known to hold anything."""
    listed = [each for each in partitions if not each.is_default]
    if not any(each.bytes for each in listed):
        return None
    together = -(-len(listed) // _MOST_BARS)
    groups = [listed[start : start + together] for start in range(0, len(listed), together)]
    totals = [sum(each.bytes or 0 for each in group) for group in groups]
    highest, width = max(totals), WIDTH / len(groups)
    bars = [
        Bar(
            x=round(number * width, 1),
            y=round(HEIGHT - HEIGHT * total / highest, 1),
            width=round(max(width - (1 if width > 3 else 0), 0.8), 1),
            height=round(HEIGHT * total / highest, 1),
            title=_words(group, total),
        )
        for number, (group, total) in enumerate(zip(groups, totals, strict=True))
    ]
    return Growth(tuple(bars), size(highest), size(sum(totals)), listed[0].name, listed[-1].name)


def _words(group: Sequence[Partition], total: int) -> str:
    names = group[0].name if len(group) == 1 else f"{group[0].name} to {group[-1].name}"
    rows = [each.rows for each in group]
    known = sum(row for row in rows if row is not None)
    return f"{names}: {size(total)}" + ("" if None in rows else f", about {count(known)} rows")
