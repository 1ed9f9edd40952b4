"""What would move where: the partitions to be made, the rows that stay, the method, the lock, the disk."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from partwarden.draining.session import Session

_EASY_LOCK_MS = 40
"""A lock that is over before anybody notices; what takes longer is swapped rather than moved."""

BIG_BYTES = 8 * 1024 * 1024
"""A default partition that takes longer to read than a lock should last."""

# Measured on two cores, rounded against us: docs/performance.md.
_ROWS_MOVED_A_MS = 150
_BYTES_SCANNED_A_MS = 200_000
_ATTACH_MS = 1.0


class Method(StrEnum):
    """How rows get to where they belong."""

    SWAP = "swap"
    """Copy beside the set while changes are logged, then replace the default partition in one short transaction."""
    BATCH = "batch"
    """Move one interval's rows at a time, in a transaction each, while the set is locked."""
    ATTACH = "attach"
    """Make the default partition itself the one partition that all of its rows belong into."""


@dataclass(frozen=True)
class Drain:
    """What a person asked for.

    ``start`` and ``end`` are times, or ids, as text: only partitions that lie between them as a whole are made.
    ``lock_timeout`` and ``window`` are in seconds: how long one try waits for a lock, and with it whoever comes after
    us; and for how long a moment is looked for in which nobody is in the way.
    """

    parent: str
    interval: str | None = None
    start: str | None = None
    end: str | None = None
    method: Method | None = None
    max_new_partitions: int = 200
    lock_timeout: float = 0.01
    window: float = 60
    jobs: int = 2


@dataclass(frozen=True)
class Interval:
    """One partition to be made, and how many rows of the default partition it takes; bounds as SQL literals.

    ``distance`` counts from the partitions that are there: made in its order, no hole is left wherever it ends.
    """

    number: int
    lower_bound: str
    upper_bound: str
    child: str
    rows: int
    distance: int


@dataclass(frozen=True)
class Staying:
    """Rows that stay in the default partition: from the lowest to the highest of them, and why."""

    rows: int
    lowest: str | None
    highest: str | None
    why: str


@dataclass(frozen=True)
class DefaultPartition:
    """The default partition: its name as SQL writes it, its size with and without indexes and TOAST, rows by statistics."""

    name: str
    bytes: int
    heap_bytes: int
    estimated_rows: int

    @classmethod
    def of(cls, session: Session) -> DefaultPartition:
        """The default partition of the session's set, which has one."""
        row = session.connection.execute(
            "select partdefid::regclass::text, pg_total_relation_size(partdefid), pg_relation_size(partdefid),"
            " reltuples::bigint from pg_partitioned_table join pg_class on pg_class.oid = partdefid where partrelid = %s",
            (session.parent,),
        ).fetchone()
        assert row is not None
        return cls(*row)


@dataclass(frozen=True)
class Plan:
    """What would be done to one set."""

    parent: str
    default: DefaultPartition
    intervals: tuple[Interval, ...]
    staying: tuple[Staying, ...]
    method: Method
    because: str

    @property
    def rows(self) -> int:
        """Rows to be moved."""
        return sum(each.rows for each in self.intervals)

    @property
    def rows_staying(self) -> int:
        """Rows that stay."""
        return sum(each.rows for each in self.staying)

    @property
    def rows_in_all(self) -> int:
        """Rows of the default partition; by statistics where only some of them were asked for."""
        return max(self.rows + self.rows_staying, self.default.estimated_rows)

    @property
    def bytes_to_move(self) -> int:
        """What the rows to be moved take now, by their share of all."""
        return round(self.default.bytes * self.rows / max(self.rows_in_all, 1))

    @property
    def lock_ms(self) -> float:
        """About how long readers and writers of the set wait at once, at most."""
        return lock_ms(self.method, self.intervals, self.default.heap_bytes, self.rows_staying)

    @property
    def disk_bytes(self) -> int:
        """About how much disk is needed besides, until the end."""
        return {Method.SWAP: self.default.bytes, Method.BATCH: self.bytes_to_move, Method.ATTACH: 0}[self.method]


def lock_ms(method: Method, intervals: tuple[Interval, ...], heap_bytes: int, staying: int) -> float:
    """An estimate of the longest lock against readers, in milliseconds."""
    if method is Method.SWAP:
        return 5 + _ATTACH_MS * len(intervals) + staying / 5_000
    if method is Method.ATTACH:
        return 10
    most = max((each.rows for each in intervals), default=0)
    return 5 + most / _ROWS_MOVED_A_MS + heap_bytes / _BYTES_SCANNED_A_MS


def make_plan(session: Session, wish: Drain) -> Plan:
    """Look at the default partition, and decide how to drain it. Reads it once; nothing is locked or changed.

    Raises what the server says where the set can't be drained at all: psycopg.Error.
    """
    intervals = []
    staying = []
    for number, lower, upper, child, rows, note, distance in session.rows(
        "drain_plan", session.parent, wish.interval, wish.start, wish.end, wish.max_new_partitions
    ):
        if child is None:
            staying.append(Staying(rows, lower, upper, note))
        else:
            intervals.append(Interval(number, lower, upper, child, rows, distance))
    default = DefaultPartition.of(session)
    method, because = _choose(session, wish, tuple(intervals), tuple(staying), default.heap_bytes)
    return Plan(session.name, default, tuple(intervals), tuple(staying), method, because)


def _choose(
    session: Session,
    wish: Drain,
    intervals: tuple[Interval, ...],
    staying: tuple[Staying, ...],
    heap_bytes: int,
) -> tuple[Method, str]:
    obstacle = obstacle_to_swap(session, wish)
    if wish.method is Method.BATCH:
        return Method.BATCH, "it was asked for"
    fits_one = len(intervals) == 1 and not staying and wish.start is None and wish.end is None
    if obstacle is not None:
        return Method.BATCH, obstacle
    if wish.method is not None:
        return wish.method, "it was asked for"
    if fits_one and obstacle_to_attach(session, wish) is None:
        return Method.ATTACH, "all rows belong into one partition: it becomes that one, and nothing is copied"
    in_batches = lock_ms(Method.BATCH, intervals, heap_bytes, 0)
    if in_batches <= _EASY_LOCK_MS:
        return Method.BATCH, f"there is little to move: each partition locks the set for some {in_batches:.0f} ms"
    return Method.SWAP, f"in batches the set would be locked for some {in_batches:,.0f} ms at a time"


def obstacle_to_swap(session: Session, wish: Drain) -> str | None:
    """Why the default partition can't be replaced by a new one; None where it can."""
    divided = session.connection.execute(
        "select is_divided_further from pg_temp.drain_set(%s, %s)", (session.parent, wish.interval)
    ).fetchone()
    assert divided is not None
    if divided[0]:
        return "its partitions are partitioned themselves"
    found = session.call("swap_obstacle", session.parent)
    return None if found is None else str(found)


def obstacle_to_attach(session: Session, wish: Drain) -> str | None:
    """Why the default partition can't become an ordinary one, besides what keeps it from being replaced."""
    found = session.call("attach_obstacle", session.parent, wish.interval)
    return None if found is None else str(found)
