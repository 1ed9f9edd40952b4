"""What a database has that the file can speak of, read without writing anything."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import psycopg

from partwarden import bundle
from partwarden.agent_schedule import kept_jobs
from partwarden.catalog import ManagedSet, Partman, Table, managed_sets, one_below, read_partman, read_tables
from partwarden.config.names import QualifiedName
from partwarden.database import Connection, Server, inspect, problem_of, quoted
from partwarden.errors import PartwardenError
from partwarden.initial.entries import Detail
from partwarden.install import installed_version
from partwarden.schedule import NoCron, ScheduledJob, job_name, jobs_of, open_cron

_CONSTANT = re.compile(r"'((?:[^']|'')*)'::[a-z ]+|(-?[0-9]+|true|false)")


@dataclass(frozen=True)
class Width:
    """How a set that nobody manages is partitioned: how wide most partitions are, and where the last one ends."""

    kind: str
    most: str
    last_upper: str


@dataclass(frozen=True)
class PartmanJob:
    """A job of pg_cron's that has pg_partman maintain this database."""

    id: int
    name: str | None
    schedule: str
    command: str
    active: bool


@dataclass(frozen=True)
class Silence:
    """A silence as partwarden keeps it."""

    check: str
    object: str
    until: str
    note: str | None


@dataclass(frozen=True)
class Installed:
    """What partwarden has been told here: settings that are not the default, as text; policies by set; silences."""

    settings: Mapping[str, str]
    policies: Mapping[str, str]
    silences: tuple[Silence, ...]


@dataclass(frozen=True)
class Jobs:
    """pg_cron's jobs for this database, as far as this role sees them; ``problem`` says why none could be looked for.

    ``by_agent``: pg_cron has none of ours, and an agent keeps them.
    """

    ours: tuple[ScheduledJob, ...] = ()
    partmans: tuple[PartmanJob, ...] = ()
    problem: str | None = None
    by_agent: bool = False


@dataclass(frozen=True)
class Found:
    """All of it. ``details`` are by pg_partman's name of a set, ``widths`` by the oid of a table."""

    server: Server
    partman: Partman | None
    managed: Mapping[str, ManagedSet]
    tables: Mapping[QualifiedName, Table]
    details: Mapping[str, Detail]
    widths: Mapping[int, Width]
    installed: Installed
    jobs: Jobs


def look(connection: Connection, dsn: str) -> Found:
    """Read all that is there. ``connection`` is read-only, and ``dsn`` what it was made with."""
    connection.execute("select pg_catalog.set_config('intervalstyle', 'postgres', false)")
    server = inspect(connection)
    partman = read_partman(connection, server)
    managed = {} if partman is None else managed_sets(connection, partman)
    return Found(
        server=server,
        partman=partman,
        managed=managed,
        tables=read_tables(connection),
        details=_details(connection, managed),
        widths=_widths(connection, partman),
        installed=_installed(connection),
        jobs=_kept(connection, server.database, _jobs(dsn, server.database)),
    )


def levels(managed: Mapping[str, ManagedSet], top: ManagedSet) -> Iterator[ManagedSet]:
    """One of the sets that are partitions of ``top``, one of those that are partitions of that, and so on."""
    while True:
        below = one_below(managed, top.parent_table)
        if below is None:
            return
        yield below
        top = below


def _details(connection: Connection, managed: Mapping[str, ManagedSet]) -> dict[str, Detail]:
    asked = [(each.oid, each.parent_table, each.config["control"]) for each in managed.values() if each.oid is not None]
    if not asked:
        return {}
    oids, names, controls = zip(*asked, strict=True)
    rows = connection.execute(
        """
        select asked.parent_table, pg_get_userbyid(relowner)::text, coalesce(attnotnull, true),
            (select btrim(split_part(substr(pg_get_expr(child.relpartbound, 0), 18), ') TO (', 1), '''')
             from pg_catalog.pg_inherits
             join pg_catalog.pg_class child on child.oid = inhrelid
             where inhparent = pg_class.oid
               and pg_get_expr(child.relpartbound, 0) like 'FOR VALUES FROM (%%) TO (%%)'
             limit 1)
        from unnest(%s::oid[], %s::text[], %s::text[]) as asked (oid, parent_table, control)
        join pg_catalog.pg_class on pg_class.oid = asked.oid
        left join pg_catalog.pg_attribute on attrelid = asked.oid and attname = asked.control::name
        """,
        (list(oids), list(names), list(controls)),
    ).fetchall()
    return {name: Detail(owner, not_null, lower) for name, owner, not_null, lower in rows}


def _widths(connection: Connection, partman: Partman | None) -> dict[int, Width]:
    bounds = bundle.query(
        "partition_bound",
        given="select null::jsonb as fact",
        met=frozenset() if partman is None else frozenset({"pg_partman"}),
        partman_schema=None if partman is None else quoted(partman.schema),
    )
    rows = connection.execute(
        f"""
        select
            parent, case when max(lower_id) is null then 'time' else 'id' end,
            coalesce(
                (mode() within group (order by age(upper_at::timestamp, lower_at::timestamp)))::text,
                (mode() within group (order by upper_id - lower_id))::text),
            (array_agg(upper_text order by upper_at desc nulls last, upper_id desc nulls last))[1]
        from ({bounds}) bound
        group by parent
        """.encode()  # noqa: S608 - it is composed of our own files
    ).fetchall()
    return {oid: Width(kind, most, last) for oid, kind, most, last in rows if most is not None}


def _installed(connection: Connection) -> Installed:
    if installed_version(connection) is None:
        return Installed({}, {}, ())
    settings = {
        name: value
        for name, default, value in connection.execute(
            """
            select attname::text, pg_get_expr(adbin, adrelid), to_jsonb(setting) ->> attname
            from partwarden.setting
            join pg_catalog.pg_attribute on attrelid = 'partwarden.setting'::regclass and attnum > 0 and not attisdropped
            left join pg_catalog.pg_attrdef on adrelid = attrelid and adnum = attnum
            where attname <> 'only_row'
            """
        ).fetchall()
        if value is not None and value != _constant(default)
    }
    return Installed(
        settings=settings,
        policies=dict(connection.execute("select parent_table, repair from partwarden.set_policy").fetchall()),
        silences=_silences(connection),
    )


def _silences(connection: Connection) -> tuple[Silence, ...]:
    if connection.execute("select to_regclass('partwarden.silence') is null").fetchone() == (True,):
        return ()
    rows = connection.execute(
        "select check_id, object, to_char(until, 'YYYY-MM-DD HH24:MI:SSTZH:TZM'), note "
        "from partwarden.silence order by check_id, object"
    ).fetchall()
    return tuple(Silence(*row) for row in rows)


def _constant(default: str | None) -> str | None:
    """The value of a column's default, where it is a plain one."""
    found = _CONSTANT.fullmatch(default or "")
    if found is None:
        return None
    return found[1].replace("''", "'") if found[1] is not None else found[2]


def _kept(connection: Connection, database: str, jobs: Jobs) -> Jobs:
    """The same, with the jobs that an agent keeps where pg_cron has none."""
    kept = kept_jobs(connection)
    if jobs.ours or not kept:
        return jobs
    ours = tuple(
        ScheduledJob(each.kind, job_name(each.kind, database), each.schedule, each.command, database, active=True)
        for each in kept.values()
    )
    return replace(jobs, ours=ours, by_agent=True)


def _jobs(dsn: str, database: str) -> Jobs:
    try:
        with open_cron(dsn, database, None) as cron:
            cron.read_only = True
            rows: list[tuple[Any, ...]] = cron.execute(
                "select jobid, to_jsonb(job) ->> 'jobname', schedule, command, active from cron.job "
                "where database = %s and command ~* '\\mrun_maintenance(_proc)?\\M' order by jobid",
                (database,),
            ).fetchall()
            return Jobs(jobs_of(cron, database), tuple(PartmanJob(*row) for row in rows))
    except NoCron:
        return Jobs()
    except (PartwardenError, psycopg.Error) as failure:
        return Jobs(problem=problem_of(failure).splitlines()[0])
