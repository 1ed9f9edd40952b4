"""About how many partitions a new set begins with."""

from __future__ import annotations

from partwarden.catalog import Table
from partwarden.config import PartitionSet, SubPartition
from partwarden.planning.view import View
from partwarden.planning.wanted import levels


def how_many(view: View, wanted: PartitionSet, table: Table) -> int:
    """About how many partitions are made at first; where they are partitioned themselves, how many of those."""
    around = _around_now(wanted)
    if wanted.start is None or table.partitions or wanted.interval.isdigit():
        many = around
    else:
        many = _ratio(view, "now() - %s::timestamptz", wanted.start, wanted.interval) + around
    above = wanted.interval
    for level, _ in levels(wanted):
        if level is wanted:
            continue
        by_time = not (above.isdigit() or level.interval.isdigit())
        many *= _ratio(view, "%s::interval", above, level.interval) if by_time else _around_now(level)
        above = level.interval
    return many


def _around_now(wanted: PartitionSet | SubPartition) -> int:
    return 2 * (4 if wanted.premake is None else wanted.premake) + 1


def _ratio(view: View, length: str, of: str, interval: str) -> int:
    row = view.connection.execute(
        f"select greatest(ceil(extract(epoch from {length}) / extract(epoch from %s::interval)), 1)::bigint".encode(),
        (of, interval),
    ).fetchone()
    assert row is not None
    return int(row[0])
