"""One partition set in full: its partitions, how it grew, what maintenance did, what is configured."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from partwarden import bundle
from partwarden.database import Connection, connect_read_only, inspect
from partwarden.findings import Finding
from partwarden.status import SetStatus, look
from partwarden.survey import Survey

_SECONDS = 20
_MOST_PARTITIONS = 2000
"""As many as the source ``partitions`` reads."""
_LOWER = re.compile(r"FOR VALUES FROM \('?(.*?)'?\) TO ")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")


@dataclass(frozen=True)
class Partition:
    """A partition; ``rows`` and ``bytes`` are what the statistics know, and None where they know nothing."""

    name: str
    is_set: bool
    is_default: bool
    bound: str
    rows: int | None
    bytes: int | None
    vacuumed_at: datetime | None
    analyzed_at: datetime | None
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class Run:
    """What maintenance did to the set in one phase (repair, create, retention) of a call; ``moved`` counts rows."""

    phase: str
    started_at: datetime
    seconds: float
    outcome: str
    made: int
    dropped: int
    moved: int
    message: str | None
    hint: str | None


@dataclass(frozen=True)
class Repair:
    """Rows that were moved out of the default partition."""

    at: datetime
    partitions: int
    rows_moved: int
    note: str | None


@dataclass(frozen=True)
class KnownIncident:
    """An incident of the set, open or over."""

    id: int
    check_id: str
    severity: str
    summary: str
    since: datetime
    resolved_at: datetime | None


@dataclass(frozen=True)
class Setting:
    """A column of pg_partman's configuration; ``wanted`` is what the file wants, None where it says nothing of it."""

    name: str
    value: str
    wanted: str | None

    @property
    def differs(self) -> bool:
        """Whether the file wants something else."""
        return self.wanted is not None and self.wanted != self.value


@dataclass(frozen=True)
class SetInFull:
    """All of it. ``sub_sets`` are the partitions that are sets themselves, ``above`` is the set that this one is a part of."""

    name: str
    status: SetStatus | None
    above: str | None
    partitions: tuple[Partition, ...]
    sub_sets: tuple[SetStatus, ...]
    settings: tuple[Setting, ...]
    runs: tuple[Run, ...]
    repairs: tuple[Repair, ...]
    incidents: tuple[KnownIncident, ...]
    reach: tuple[tuple[float, float], ...]
    """Seen at, and where the partitions ended then, in seconds since 1970."""

    @property
    def has_moments(self) -> bool:
        """Whether bounds are moments, in UTC; a ``timestamp`` or a ``date`` is in whichever zone the application means."""
        return any("+00'" in each.bound for each in self.partitions)

    @property
    def is_cut(self) -> bool:
        """Whether there are more partitions than are listed."""
        return len(self.partitions) >= _MOST_PARTITIONS


_WHICH = """
select
    class.oid::bigint,
    format('%%I.%%I', namespace.nspname, class.relname),
    format('%%s.%%s', namespace.nspname, class.relname),
    above.inhparent::bigint,
    (select format('%%I.%%I', nspname, relname)
     from pg_class join pg_namespace on relnamespace = pg_namespace.oid
     where pg_class.oid = above.inhparent)
from (select parse_ident(%(name)s::text) as parts) named
join pg_namespace namespace on namespace.nspname = named.parts[1]
join pg_class class on class.relnamespace = namespace.oid and class.relname = named.parts[2]
left join pg_inherits above on above.inhrelid = class.oid
where cardinality(named.parts) = 2 and class.relkind in ('r', 'p', 'f')
"""
# Not by to_regclass: that looks for no more than what this role may use, and reads a number as an oid.


@dataclass(frozen=True)
class _Named:
    """A table, and the one that it is a partition of; ``parent_table`` is its name as pg_partman writes names."""

    oid: int
    name: str
    parent_table: str
    above_oid: int | None
    above: str | None


def read_set(dsn: str, name: str, newest: Survey) -> SetInFull | None:
    """Everything about the set of that name, as ``SetStatus.name`` has it; None where there is no such table.

    Raises CouldNotConnect, and NotChecked where it could not be looked at in time.
    """
    with connect_read_only(dsn, timeout=_SECONDS, cut_after=2 * _SECONDS) as connection:
        connection.execute(
            "select set_config('timezone', 'UTC', false)"
        )  # bounds are written in the zone of the session
        named = _named(connection, name)
        if named is None:
            return None
        partitions = _partitions(connection, named.oid, newest)
        record = _record(connection, named) if newest.record is not None else {}
        settings = _settings(connection, named, record.get("wanted") or {})
    # The others come by connections of their own: there is one at a time.
    sub_sets = look(dsn, within=named.oid, timeout=_SECONDS) if any(each.is_set for each in partitions) else ()
    status = _status(newest.sets, named.name)
    if status is None and named.above_oid is not None:
        status = _status(look(dsn, within=named.above_oid, timeout=_SECONDS), named.name)
    return SetInFull(
        name=named.name,
        status=status,
        above=named.above,
        partitions=partitions,
        sub_sets=sub_sets,
        settings=settings,
        runs=tuple(map(_run, record.get("runs") or ())),
        repairs=tuple(
            Repair(datetime.fromisoformat(each["at"]), each["partitions"], each["rows_moved"], each["note"])
            for each in record.get("repairs") or ()
        ),
        incidents=tuple(map(_incident, record.get("incidents") or ())),
        reach=tuple((float(seen), float(edge)) for seen, edge in record.get("reach") or ()),
    )


def _named(connection: Connection, name: str) -> _Named | None:
    """The table of that name, which has two parts; None where there is none, or this is no name."""
    try:
        found = connection.execute(_WHICH, {"name": name}).fetchone()
    except (psycopg.DataError, UnicodeEncodeError):
        return None
    return None if found is None else _Named(*found)


def _status(sets: Iterable[SetStatus], name: str) -> SetStatus | None:
    return next((each for each in sets if each.name == name), None)


def _partitions(connection: Connection, oid: int, newest: Survey) -> tuple[Partition, ...]:
    told: dict[str, list[Finding]] = {}
    for finding in newest.report.findings:
        told.setdefault(finding.object, []).append(finding)
    rows = (
        connection.cursor(row_factory=dict_row)
        .execute(bundle.source("partitions").encode(), {"parent": oid})
        .fetchall()
    )
    found = (
        Partition(
            name=row["name"],
            is_set=row["is_set"],
            is_default=row["is_default"],
            bound=row["bound"],
            rows=row["rows"],
            bytes=row["bytes"],
            vacuumed_at=row["vacuumed_at"],
            analyzed_at=row["analyzed_at"],
            findings=tuple(told.get(row["name"], ())),
        )
        for row in rows
    )
    return tuple(sorted(found, key=_by_bound))


def _by_bound(partition: Partition) -> tuple[bool, bool, float, str, str]:
    """By where it begins: numbers as such, times as they are written, the default partition last."""
    found = _LOWER.match(partition.bound)
    lower = found[1] if found else ""
    number = float(lower) if _NUMBER.fullmatch(lower) else 0.0
    return partition.is_default, lower != "MINVALUE", number, lower, partition.name


def _record(connection: Connection, named: _Named) -> Mapping[str, Any]:
    row = connection.execute(
        bundle.source("set_record").encode(), {"name": named.name, "parent_table": named.parent_table}
    ).fetchone()
    assert row is not None
    return dict(row[0])


def _settings(connection: Connection, named: _Named, wanted: Mapping[str, Any]) -> tuple[Setting, ...]:
    """pg_partman's row of the set, column by column; nothing where it does not manage it, or the row may not be read."""
    partman = inspect(connection).extensions.get("pg_partman")
    if partman is None:
        return ()
    query = sql.SQL("select to_jsonb(config) from {} config where parent_table = %s").format(
        sql.Identifier(partman.schema, "part_config")
    )
    try:
        row = connection.execute(query, (named.parent_table,)).fetchone()
    except psycopg.errors.InsufficientPrivilege:
        return ()
    if row is None:
        return ()
    return tuple(
        Setting(name, _written(value), _written(wanted[name]) if name in wanted else None)
        for name, value in row[0].items()
        if name != "parent_table" and (value is not None or name in wanted)
    )


def _written(value: object) -> str:
    match value:
        case None:
            return "not set"
        case bool():
            return "yes" if value else "no"
        case "":
            return "empty"
        case str():
            return value
        case _:
            return json.dumps(value, ensure_ascii=False)


def _run(row: Mapping[str, Any]) -> Run:
    started, finished = datetime.fromisoformat(row["started_at"]), datetime.fromisoformat(row["finished_at"])
    return Run(
        phase=row["phase"],
        started_at=started,
        seconds=(finished - started).total_seconds(),
        outcome=row["outcome"],
        made=row["partitions_made"],
        dropped=row["partitions_dropped"],
        moved=row["rows_moved"] or 0,
        message=row["message"],
        hint=row["hint"],
    )


def _incident(row: Mapping[str, Any]) -> KnownIncident:
    return KnownIncident(
        id=row["id"],
        check_id=row["check_id"],
        severity=row["severity"],
        summary=row["summary"],
        since=datetime.fromisoformat(row["since"]),
        resolved_at=None if row["resolved_at"] is None else datetime.fromisoformat(row["resolved_at"]),
    )
