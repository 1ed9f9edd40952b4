"""How each partition set stands now: its partitions around this moment, when they run out, what lies in the default one."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

import psycopg

from partwarden import bundle
from partwarden.cutoff import GRACE
from partwarden.database import connect_read_only, explained, inspect
from partwarden.errors import NotChecked
from partwarden.ground import find_ground, rows_of

_CHECKS = frozenset(
    {
        "gap",
        "headroom-low",
        "maintenance-disabled",
        "maintenance-stale",
        "set-unmanaged",
        "stops-when-idle",
        "undo-in-progress",
    }
)
"""Those that say what the time line shows, and why: they stand on what it is made of, and cost next to nothing more."""

EARLIEST = datetime(1, 1, 1, tzinfo=UTC).timestamp()
TOO_LATE = datetime(9999, 12, 31, tzinfo=UTC).timestamp()
"""PostgreSQL knows times that Python does not."""
_WIDEST_GAP = 9
"""A gap is drawn as wide as so many partitions at most: there may be years between two."""


class State(StrEnum):
    """What one place of the time line is."""

    PAST = "past"
    NOW = "now"
    AHEAD = "ahead"
    GAP = "gap"
    """There is no partition, and there are some on both sides, or it is the one of this moment that is missing."""
    WANTED = "wanted"
    """Maintenance has not made it, and premake wants it."""


@dataclass(frozen=True)
class Place:
    """One place of the time line, a partition or the lack of one; ``bytes`` is None where it is not known."""

    state: State
    bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """A partition on the axis of its control column, half-open, in seconds since 1970 or in ids; these are exact.

    ``bytes`` and ``rows`` are estimates, and None where nobody knows. ``sub_set`` names the set that the partition itself is.
    """

    lower: float
    upper: float
    bytes: int | None
    rows: int | None
    sub_set: str | None


@dataclass(frozen=True)
class SetStatus:
    """A partition set; sub-sets count with it, and have no status of their own.

    ``severity`` and ``findings`` are those of the checks that say what the line shows. ``line`` are the places around this
    moment, in order, of which ``now`` is the one that holds it: the partition, or the place where it should be; -1 where all
    are still to come. ``ends_at`` is the moment at which the unbroken row of partitions ends, of a set by time;
    ``is_endless`` says that it never does: the partition without an end, which begins at ``endless_from``, belongs to it.
    ``ahead`` is how many partitions of that row lie behind the one of this moment.
    ``default_rows`` is an estimate, and None where there are some and nobody knows how many. ``last_maintained`` is None
    where that never was, or, without ``knows_maintenance``, where it is not recorded: before pg_partman 5.1, unless
    partwarden.maintain() does it.

    ``parent_table`` is pg_partman's name of it. ``spans`` are the partitions of the line with their bounds, ``earlier`` and
    ``later`` how many lie before and behind them; ``position`` is where the set stands on the same axis: this moment, or where
    the last partition with a row begins. ``missing`` is how many
    partitions premake wants and nobody has made, and ``retention_edge`` is what older partitions lie before. ``ids_left`` is
    how many ids the unbroken row has room for, ``ids_a_second`` how fast they were used up in the last week, as far as known.
    ``limits`` are where a set by time begins and ends that is itself a partition of a set by time.
    """

    name: str
    severity: str | None
    findings: tuple[str, ...]
    is_managed: bool
    kind: str
    interval: str | None
    partitions: int
    sub_sets: int
    bytes: int
    line: tuple[Place, ...]
    now: int
    ends_at: datetime | None
    is_endless: bool
    ahead: int
    has_default: bool
    default_rows: int | None
    knows_maintenance: bool
    last_maintained: datetime | None
    looked_at: datetime
    parent_table: str | None = None
    control: str | None = None
    retention: str | None = None
    spans: tuple[Span, ...] = ()
    position: float | None = None
    endless_from: float | None = None
    earlier: int = 0
    later: int = 0
    missing: int = 0
    retention_edge: float | None = None
    ids_left: int | None = None
    ids_a_second: float | None = None
    limits: tuple[float, float] | None = None

    @property
    def is_over(self) -> bool:
        """Whether it is a partition of a time that has passed: nothing is to be made there."""
        return self.limits is not None and self.limits[1] <= self.looked_at.timestamp()

    @property
    def is_complete(self) -> bool:
        """Whether it is itself a partition, and its own partitions reach as far as it does."""
        return self.limits is not None and bool(self.spans) and self.spans[-1].upper >= self.limits[1]

    @property
    def runs_out_in(self) -> timedelta | None:
        """How long the partitions last from now on, of a set by time; negative where they have run out."""
        return None if self.ends_at is None else self.ends_at - self.looked_at

    @property
    def full_at(self) -> datetime | None:
        """When rows begin to fall into the default partition, or to be refused; of a set by id at the rate of the last week."""
        if self.kind != "id":
            return self.ends_at
        if self.ids_left is None or not self.ids_a_second or self.ids_a_second <= 0:
            return None
        seconds = self.looked_at.timestamp() + self.ids_left / self.ids_a_second
        return None if seconds > TOO_LATE else _moment(seconds)


def look(dsn: str, *, past: int = 60, ahead: int = 60, within: int = 0, timeout: float = 60) -> tuple[SetStatus, ...]:
    """Every partition set of a database, the worst first: those that pg_partman manages, and those that nobody does.

    ``past`` and ``ahead`` are how many partitions of the time line are read. Only the catalog is, and of sets by id the last
    partitions, for the first that has a row. With ``within``, the oid of a set, it is the sets that are partitions of that
    one. Nothing has to be installed. Raises CouldNotConnect, and NotChecked where it
    could not be looked at within ``timeout`` seconds.
    """
    deadline = time.monotonic() + timeout
    with (
        connect_read_only(dsn, timeout=timeout, cut_after=timeout + GRACE) as connection,
        explained("could not look at the partition sets", NotChecked),
    ):
        server = inspect(connection)
        ground = find_ground(connection, dsn, server, {}, timeout=timeout)
        view = set_view(past=past, ahead=ahead, within=within)
        checks, _ = ground.doable([check for check in bundle.checks() if check.id in _CHECKS])
        try:
            rows = rows_of(connection, ground.statement((view, *checks)))
        except psycopg.errors.QueryCanceled:
            raise
        except psycopg.Error:
            if time.monotonic() > deadline:
                raise
            rows = rows_of(connection, ground.statement((view,)))  # a check that fails is no reason to show nothing
    found = defaultdict(list)
    for check, severity, name, *_ in rows:
        if severity in ("warning", "critical"):
            found[name].append((severity, check))
    return statuses([detail for _, severity, _, _, detail, *_ in rows if severity == "view"], found)


def set_view(*, past: int, ahead: int, within: int = 0) -> bundle.Check:
    """The view that ``statuses`` reads, with so many partitions of each time line on either side of this moment.

    With ``within``, the oid of a set, it is of the sets that are partitions of that one, with what is a part of them.
    """
    return bundle.view("set_status", {"past": past, "ahead": ahead, "within": within})


def statuses(rows: Sequence[_Row], found: Mapping[str, Sequence[tuple[str, str]]]) -> tuple[SetStatus, ...]:
    """The sets from the rows of the view and what checks have found of each: severity and check, by its name."""
    return tuple(sorted(_folded(rows, found), key=_order))


_Row = Mapping[str, Any]


def _folded(rows: Sequence[_Row], found: Mapping[str, Sequence[tuple[str, str]]]) -> Iterator[SetStatus]:
    """One status for each set that is not a part of another."""
    members: dict[int, list[_Row]] = defaultdict(list)
    for row in rows:
        members[row["root"]].append(row)
    for root, family in members.items():
        top = next(row for row in family if row["id"] == root)
        told = [each for row in family for each in found.get(row["name"], ())]
        yield _status(top, [row for row in family if row is not top], told)


def _status(top: _Row, subs: Sequence[_Row], told: Sequence[tuple[str, str]]) -> SetStatus:
    tree = _Tree((top, *subs))
    line, now = _line(top, tree)
    ends_at = _earliest_end(top, subs)
    return SetStatus(
        name=top["name"],
        severity=min((severity for severity, _ in told), default=None),  # critical comes before warning
        findings=tuple(dict.fromkeys(check for _, check in sorted(told))),
        is_managed=top["is_managed"],
        kind=top["kind"],
        interval=top["interval"],
        partitions=sum(row["partitions"] for row in (top, *subs)) - len(subs),
        sub_sets=len(subs),
        bytes=tree.bytes_of(top["id"]),
        line=line,
        now=now,
        ends_at=None if ends_at is None or ends_at > TOO_LATE else _moment(ends_at),
        is_endless=bool(top["is_endless"]) or (ends_at is not None and ends_at > TOO_LATE),
        ahead=top["ahead"],
        has_default=top["has_default"],
        default_rows=_default_rows((top, *subs), tree),
        knows_maintenance=top["knows_maintenance"],
        last_maintained=None if top["last_maintained"] is None else _moment(top["last_maintained"]),
        looked_at=_moment(top["looked_at"]),
        parent_table=top["parent_table"],
        control=top["control"],
        retention=top["retention"],
        spans=_spans(top, subs, tree),
        position=top["position"] if top["last_id"] is None else max(top["position"] or 0, top["last_id"]),
        endless_from=_endless_from(top),
        earlier=top["earlier"],
        later=top["later"],
        missing=_missing(top, line),
        retention_edge=top["retention_edge"],
        ids_left=_ids_left(top),
        ids_a_second=top["ids_a_second"],
        limits=None if top["limit_at"] is None else (float(top["start_at"]), float(top["limit_at"])),
    )


def _missing(top: _Row, line: Sequence[Place]) -> int:
    """How many partitions premake wants beyond the last one, and there is room for."""
    wanted = sum(place.state is State.WANTED for place in line)
    if top["limit_at"] is None or not top["around"]:
        return wanted
    _, lower, upper, *_ = top["around"][-1]
    width = (upper - lower) or 1
    end = min(top["limit_at"], top["looked_at"] + (top["premake"] or 0) * width)
    return min(wanted, max(int((end - upper) / width), 0)) if top["limit_at"] > top["looked_at"] else 0


def _spans(top: _Row, subs: Sequence[_Row], tree: _Tree) -> tuple[Span, ...]:
    names = {row["id"]: row["name"] for row in subs}
    return tuple(
        Span(lower, upper, tree.bytes_in(child, size), rows, names.get(child))
        for _, lower, upper, size, child, rows in top["around"] or ()
    )


def _ids_left(top: _Row) -> int | None:
    """How many ids there is room for, of a set by id; counted from where its last partition with a row begins, if no better."""
    if top["kind"] != "id" or top["is_endless"] or top["edge"] is None or top["position"] is None:
        return None
    return max(int(top["edge"]) - int(top["last_id"] or top["position"]), 0)


class _Tree:
    """How much is in a set and in all sets below it."""

    def __init__(self, family: Iterable[_Row]) -> None:
        self._own: dict[int, int] = {}
        self._below: dict[int, list[int]] = defaultdict(list)
        self._via: dict[int, list[int]] = defaultdict(list)
        for row in family:
            self._own[row["id"]] = int(row["bytes"])
            if row["above"] is not None:
                self._below[row["above"]].append(row["id"])
                self._via[row["via"]].append(row["id"])

    def bytes_of(self, oid: int) -> int:
        """Of a set."""
        return self._own[oid] + sum(map(self.bytes_of, self._below[oid]))

    def bytes_in(self, child: int | None, own: int | None) -> int | None:
        """Of a partition, of which ``own`` is what no set below it has; ``child`` is its oid where it is partitioned itself."""
        sets = self._via[child] if child is not None else ()
        return own if not sets else (own or 0) + sum(map(self.bytes_of, sets))


def _earliest_end(top: _Row, subs: Sequence[_Row]) -> float | None:
    """When the first of them runs out, in seconds since 1970; a sub-set that reaches its own limit does not."""
    if top["kind"] not in ("time", "epoch", "encoded"):
        return None
    ends = [] if top["is_endless"] else [_end(top)]
    for row in subs:
        if row["is_current"] and not row["is_endless"] and row["last_upper_at"] is not None:
            end = _end(row)
            if end is not None and (row["limit_at"] is None or end < row["limit_at"]):
                ends.append(end)
    return min((end for end in ends if end is not None), default=None)


def _end(row: _Row) -> float | None:
    if row["edge"] is not None:
        return float(row["edge"])
    if row["last_upper_at"] is None:
        return None
    # There is no partition for this moment: they have run out, or one is missing in between, or none was wanted yet.
    return float(min(row["last_upper_at"], row["looked_at"]) if row["is_current"] else row["last_upper_at"])


def _default_rows(family: Sequence[_Row], tree: _Tree) -> int | None:
    total = 0
    for row in family:
        if not row["has_default"]:
            continue
        rows = row["default_rows"]
        if tree.bytes_in(row["default_set"], 0):
            rows = None
        if rows is None:
            return None
        total += int(rows)
    return total


@dataclass(frozen=True)
class _Partition:
    place: int
    lower: float
    upper: float
    bytes: int | None


def _line(top: _Row, tree: _Tree) -> tuple[tuple[Place, ...], int]:
    """The places around this moment, and which of them holds it; -1 where all of it is still to come."""
    partitions = [
        _Partition(place, lower, upper, tree.bytes_in(child, size))
        for place, lower, upper, size, child, _ in top["around"] or ()
    ]
    if not partitions:
        return (), -1
    moment = _position(top, partitions)
    line: list[Place] = []
    now = -1
    endless_from = _endless_from(top)
    beginnings = [*(each.lower for each in partitions[1:]), endless_from]
    for each, following in zip(partitions, beginnings, strict=True):
        if each.lower <= moment < each.upper:
            now = len(line)
        line.append(Place(_state(each, moment), each.bytes))
        width = (each.upper - each.lower) or 1
        if following is not None:
            holds_moment = each.upper <= moment < following
            missing = 0 if following == each.upper else max(round((following - each.upper) / width), 1)
        else:
            holds_moment = each.upper <= moment and not top["is_endless"]
            missing = int((moment - each.upper) / width) + 1 if holds_moment else 0
        missing = min(missing, _WIDEST_GAP)
        if holds_moment:
            now = len(line) + min(int((moment - each.upper) / width), missing - 1)
        line += [Place(State.GAP)] * missing
    if endless_from is not None:
        now = len(line) if moment >= endless_from else now
        line.append(Place(State.NOW if moment >= endless_from else State.AHEAD))
    elif top["premake"] is not None and not top["is_endless"]:
        missing = sum(place.state is State.GAP for place in line[now + 1 :])
        line += [Place(State.WANTED)] * max(top["premake"] - top["made"] - missing, 0)
    return tuple(line), now


def _endless_from(top: _Row) -> float | None:
    """Where the partition without an end begins, if it is the next one of the line."""
    return None if top["later"] else top["endless_from"]


def _position(top: _Row, partitions: Sequence[_Partition]) -> float:
    """Where the set stands: at this moment; of one by id, in the last partition with a row, or before all of them."""
    if top["kind"] != "id":
        return top["looked_at"]  # type: ignore[no-any-return]
    current = next((each for each in partitions if each.place == 0), None)
    return current.lower if current is not None and top["edge"] is not None else partitions[0].lower - 1


def _state(partition: _Partition, moment: float) -> State:
    if partition.upper <= moment:
        return State.PAST
    return State.NOW if partition.lower <= moment else State.AHEAD


def _order(each: SetStatus) -> tuple[int, bool, float, str]:
    """The worst first; then whose default partition holds rows; then who runs out first."""
    badness = {"critical": 0, "warning": 1}.get(each.severity or "", 2 if each.default_rows != 0 else 3)
    left = each.runs_out_in
    return badness, left is None, left.total_seconds() if left is not None else 0.0, each.name


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(max(float(seconds), EARLIEST), UTC)
