"""How far ahead a set reached in the last days, as a line: it falls by a day a day, and jumps where partitions are made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from partwarden.report.amounts import length

WIDTH = 1000.0
HEIGHT = 60.0
_FEWEST = 2


@dataclass(frozen=True)
class Point:
    """When it was seen, and how long the partitions lasted from then on; negative where they had run out."""

    at: datetime
    left: timedelta

    @property
    def words(self) -> str:
        """How long, in words."""
        return f"run out {length(self.left)} before" if self.left < timedelta(0) else length(self.left)


@dataclass(frozen=True)
class TrendLine:
    """``path`` is the line in SVG's words; ``zero`` is where nothing is left, None where that lies below the picture."""

    path: str
    zero: float | None
    days: tuple[Point, ...]
    first: datetime
    last: datetime
    highest: str


def draw(reach: Sequence[tuple[float, float]]) -> TrendLine | None:
    """The line through what was seen: at, and where the partitions ended, in seconds since 1970; None for less than two."""
    if len(reach) < _FEWEST:
        return None
    points = [Point(datetime.fromtimestamp(seen, UTC), timedelta(seconds=edge - seen)) for seen, edge in reach]
    first, last = points[0].at, points[-1].at
    top = max(point.left for point in points)
    bottom = min(timedelta(0), *(point.left for point in points))
    height = max(top - bottom, timedelta(seconds=1))
    width = max(last - first, timedelta(seconds=1))
    placed = [(WIDTH * ((point.at - first) / width), HEIGHT * ((top - point.left) / height)) for point in points]
    return TrendLine(
        path="M" + " L".join(f"{x:.1f} {y:.1f}" for x, y in placed),
        zero=round(HEIGHT * (top / height), 1) if top > timedelta(0) else None,
        days=_one_a_day(points),
        first=first,
        last=last,
        highest=length(top) if top > timedelta(0) else "nothing",
    )


def _one_a_day(points: Sequence[Point]) -> tuple[Point, ...]:
    """The last of each day."""
    return tuple({point.at.date(): point for point in points}.values())
