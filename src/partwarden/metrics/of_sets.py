"""What is measured of each partition set, and where it is asked for, of each partition."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from partwarden.metrics.metric import Metric, Per, Room
from partwarden.metrics.seen import HERE, Seen
from partwarden.status import SetStatus, Span

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SEVERITIES = {None: 0, "warning": 1, "critical": 2}


def headroom(each: SetStatus) -> float | None:
    """In seconds; of a set by id at the rate of the last week. None where that is not known."""
    if each.is_endless:
        return math.inf
    if each.runs_out_in is not None:
        return each.runs_out_in.total_seconds()
    if each.ids_left is None or not each.ids_a_second or each.ids_a_second <= 0:
        return None
    return each.ids_left / each.ids_a_second


def _default_rows(each: SetStatus) -> float | None:
    return each.default_rows if each.has_default else None


def _default_is_filled(each: SetStatus) -> float | None:
    return int(each.default_rows != 0) if each.has_default else None


def _last_maintenance(each: SetStatus) -> float | None:
    return None if each.last_maintained is None else each.last_maintained.timestamp()


SETS: Room[Seen, SetStatus] = Room(
    "A partition set",
    (*HERE, "set"),
    lambda seen: (((*seen.here, each.name), each) for each in seen.sets),
    (
        Metric(
            "partwarden_set_status",
            "How the set is, by the checks: 0 ok, 1 warning, 2 critical.",
            lambda each: _SEVERITIES[each.severity],
        ),
        Metric(
            "partwarden_set_headroom_seconds",
            "How long the unbroken row of partitions lasts, negative since it ended; +Inf for never. Of a set by id at the "
            "rate of the last week, where the monitor knows it.",
            headroom,
        ),
        Metric(
            "partwarden_set_headroom_ids",
            "How many ids the unbroken row of partitions has room for.",
            lambda each: each.ids_left,
        ),
        Metric(
            "partwarden_set_partitions_ahead",
            "Partitions of the unbroken row behind the one for new rows.",
            lambda each: each.ahead,
        ),
        Metric(
            "partwarden_set_partitions_missing",
            "Partitions that premake wants and nobody has made.",
            lambda each: each.missing,
        ),
        Metric(
            "partwarden_set_partitions", "Partitions, the default partition left out.", lambda each: each.partitions
        ),
        Metric(
            "partwarden_set_size_bytes",
            "How big it is, with indexes, as the last vacuum or analyze has left it.",
            lambda each: each.bytes,
        ),
        Metric(
            "partwarden_set_default_rows",
            "Rows in its default partition, by the statistics; no sample where there are some and they don't know how many.",
            _default_rows,
        ),
        Metric(
            "partwarden_set_default_filled",
            "Whether its default partition holds rows (1) or is empty (0).",
            _default_is_filled,
        ),
        Metric(
            "partwarden_set_last_maintenance_timestamp_seconds",
            "When it was last maintained, where pg_partman (from 5.1) or partwarden.maintain() has that on record.",
            _last_maintenance,
        ),
    ),
    Per.SET,
)


def _kinds(seen: Seen) -> Iterator[tuple[tuple[str, ...], None]]:
    for each in seen.sets:
        managed = "true" if each.is_managed else "false"
        yield (*seen.here, each.name, each.kind, each.interval or "", managed), None


KINDS: Room[Seen, None] = Room(
    "What kind of set it is",
    (*HERE, "set", "kind", "interval", "managed"),
    _kinds,
    (
        Metric(
            "partwarden_set_info",
            "What its control column counts (time, epoch, encoded, id, other), its interval, whether pg_partman manages it; "
            "always 1.",
            lambda _: 1,
        ),
    ),
    Per.SET,
)


def _spans(seen: Seen) -> Iterator[tuple[tuple[str, ...], Span]]:
    for each, span in seen.partitions:
        yield (*seen.here, each.name, _bound(span.lower, each.kind)), span


def _bound(lower: float, kind: str) -> str:
    """An id, or a moment in UTC as ``2026-11-27T00:00:00Z``; in seconds since 1970 where Python does not know the year."""
    if kind == "id":
        return f"{lower:.0f}"
    try:
        return (_EPOCH + timedelta(seconds=lower)).isoformat().replace("+00:00", "Z")
    except OverflowError:
        return f"{lower:.0f}"


PARTITIONS: Room[Seen, Span] = Room(
    "A partition",
    (*HERE, "set", "lower"),
    _spans,
    (
        Metric(
            "partwarden_partition_size_bytes",
            "How big it is, with indexes, as the last vacuum or analyze has left it.",
            lambda span: span.bytes,
        ),
        Metric("partwarden_partition_rows", "Its rows, by the statistics.", lambda span: span.rows),
    ),
    Per.PARTITION,
)
