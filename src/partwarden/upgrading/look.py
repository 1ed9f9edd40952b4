"""Looks at a database for what another version of pg_partman breaks or changes; nothing is written."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import Any

import psycopg
from psycopg import sql

from partwarden import bundle
from partwarden.database import Connection, Extension, connect_read_only, explained, first_line, inspect
from partwarden.errors import UpgradeNotChecked
from partwarden.given import gather
from partwarden.upgrading.calls import Rewritten, changed_calls, with_call
from partwarden.upgrading.concern import Concern, Severity, Upgrade
from partwarden.upgrading.order import Way, order
from partwarden.upgrading.releases import DROPPED, NEWEST
from partwarden.upgrading.signatures import CHANGED
from partwarden.upgrading.versions import Version

_BY_BADNESS = tuple(Severity)

_LASTING = frozenset(
    {
        "names-by-week-or-quarter",
        "published-partitions",
        "retention-bounds",
        "retention-schema",
        "special-interval",
        "sub-control-nullable",
        "time-encoder",
    }
)
"""What keeps a set from being maintained for as long as nothing is done, also where the update is long done."""

_ROUTINES_THAT_CALL = """
select pg_identify_object.type || ' ' || pg_identify_object.identity, proc.prosrc, pg_get_functiondef(proc.oid)
from pg_proc proc
join pg_namespace namespace on namespace.oid = proc.pronamespace
cross join lateral pg_identify_object('pg_proc'::regclass, proc.oid, 0)
where proc.prokind in ('f', 'p')
  and namespace.nspname not in ('pg_catalog', 'information_schema', 'partwarden')
  and not exists (select from pg_depend where classid = 'pg_proc'::regclass and objid = proc.oid and deptype = 'e')
  and proc.prosrc ~* %s
order by 1
"""


def look(dsn: str, *, target: str | None = None, timeout: float = 60) -> Upgrade:
    """What the way to pg_partman ``target`` breaks or changes in one database, with what mends it, in the order of work.

    Without ``target`` it is the version that the server has files of, or the newest that is known where the database has
    that one already. Raises CouldNotConnect, and UpgradeNotChecked where the configuration can't be read.
    """
    with (
        connect_read_only(dsn, timeout=timeout) as connection,
        explained("could not look at the way to another pg_partman", UpgradeNotChecked),
    ):
        server = inspect(connection)
        postgresql = _one(connection, "select current_setting('server_version')")
        offered = _one(connection, "select min(default_version) from pg_available_extensions where name = 'pg_partman'")
        partman = server.extensions.get("pg_partman")
        if partman is None:
            return Upgrade(server.database, postgresql, None, offered, target or offered or NEWEST)
        _require_readable(connection, partman)
        installed = Version(partman.version)
        wanted = Version(target or _usual_target(installed, offered))
        if not re.fullmatch(r"[0-9][0-9A-Za-z.-]*", wanted.text):
            raise UpgradeNotChecked(f"{wanted} is no version of pg_partman", remedy=f"write it as {NEWEST}")
        given = gather(connection, dsn, server, {}, timeout=timeout)
        way = _way(connection, server.database, partman, wanted, offered, given)
        unseen = list(_hidden(given))
        concerns = [
            *_found(connection, way, given, unseen),
            *_calls_of_jobs(way, given),
            *_calls_of_routines(connection, way),
            *_path(connection, way),
        ]
    concerns.sort(key=lambda concern: _BY_BADNESS.index(concern.severity))
    return Upgrade(
        database=server.database,
        postgresql=postgresql,
        installed=partman.version,
        offered=offered,
        target=wanted.text,
        concerns=tuple(concerns),
        steps=order(way, concerns),
        unseen=tuple(unseen),
    )


def _usual_target(installed: Version, offered: str | None) -> str:
    if offered is not None and installed < Version(offered):
        return offered
    return max(installed, Version(NEWEST)).text


def _require_readable(connection: Connection, partman: Extension) -> None:
    row = connection.execute(
        """
        select has_schema_privilege(%(schema)s, 'usage')
            and has_table_privilege(format('%%I.part_config', %(schema)s), 'select')
            and has_table_privilege(format('%%I.part_config_sub', %(schema)s), 'select'),
            quote_ident(%(schema)s), quote_ident(current_user)
        """,
        {"schema": partman.schema},
    ).fetchone()
    assert row is not None
    may_read, schema, role = row
    if not may_read:
        raise UpgradeNotChecked(
            f"role {role} may not read pg_partman's configuration in schema {schema}",
            remedy=f"grant usage on schema {schema} to {role}; grant select on all tables in schema {schema} to {role};",
        )


def _way(
    connection: Connection,
    database: str,
    partman: Extension,
    target: Version,
    offered: str | None,
    given: Mapping[str, Any],
) -> Way:
    row = connection.execute(
        "select quote_ident(%s), quote_ident(pg_get_userbyid(extowner)) from pg_extension where extname = 'pg_partman'",
        (partman.schema,),
    ).fetchone()
    assert row is not None
    schema, owner = row
    cron = given.get("cron") or {}
    is_guarded = given.get("monitor") is not None
    return Way(
        database=database,
        schema=partman.schema,
        quoted_schema=schema,
        owner=f"{owner}, who owns the extension, or a superuser",
        installed=Version(partman.version),
        target=target,
        offered=None if offered is None else Version(offered),
        cron_database=cron.get("database"),
        jobs=tuple(job["jobid"] for job in _jobs(given, database) if job["active"] and _uses_partman(job["command"])),
        maintain="call partwarden.maintain();" if is_guarded else f"call {schema}.run_maintenance_proc();",
    )


def _jobs(given: Mapping[str, Any], database: str) -> list[Mapping[str, Any]]:
    jobs = [job for job in given.get("cron_job") or () if job["database"] == database]
    return sorted(jobs, key=lambda job: int(job["jobid"]))


def _uses_partman(command: str) -> bool:
    routines = "|".join((*CHANGED, "run_maintenance", "run_maintenance_proc", "run_analyze", "partition_data_time"))
    return re.search(rf"\b(?:{routines}|partition_data_id|partwarden\.maintain)\b", command, re.IGNORECASE) is not None


def _hidden(given: Mapping[str, Any]) -> Iterator[str]:
    cron = given.get("cron")
    if cron is None:
        yield f"jobs of pg_cron: {given.get('cron_reason', 'pg_cron was not found')}"
    elif cron["hidden"]:
        yield "jobs of pg_cron that belong to other roles"


def _found(connection: Connection, way: Way, given: Mapping[str, Any], unseen: list[str]) -> Iterator[Concern]:
    """What the statements of ``sql/upgrading`` find, each by itself, so that one that fails costs the others nothing."""
    on_the_way = [asdict(each) for each in DROPPED if way.passes(each.since)]
    fact = (
        sql.SQL("select {}::jsonb as fact").format(json.dumps({**given, "dropped": on_the_way})).as_string(connection)
    )
    for question in bundle.upgrade_questions():
        statement = bundle.statement(
            (question,), given=fact, met=frozenset({"pg_partman"}), partman_schema=way.quoted_schema
        )
        try:
            rows = connection.execute(statement.encode()).fetchall()
        except psycopg.errors.QueryCanceled:
            raise
        except psycopg.Error as failure:
            unseen.append(f"{question.id}: {first_line(failure)}")
            continue
        told: set[str] = set()
        for id_, since, severity, name, what, before, after in rows:
            concern = Concern(id_, Severity(severity), since, name, what, question.why, tuple(before), tuple(after))
            if name + what not in told and (way.passes(since) or _is_wrong_already(concern, way)):
                told.add(name + what)
                yield concern


def _is_wrong_already(concern: Concern, way: Way) -> bool:
    return (
        concern.id in _LASTING
        and concern.severity is Severity.CRITICAL
        and concern.since is not None
        and Version(concern.since) <= way.installed
    )


def _calls_of_jobs(way: Way, given: Mapping[str, Any]) -> Iterator[Concern]:
    for job in _jobs(given, way.database):
        name = f"job {job['jobid']}" + (f" ({job['jobname']})" if job["jobname"] else "")
        command = str(job["command"])
        changes = changed_calls(command, schema=way.schema, installed=way.installed, target=way.target)
        mended = with_call(_replace(command, changes))
        statement = sql.SQL("select cron.alter_job({}, command => {});").format(
            sql.Literal(job["jobid"]), sql.Literal(mended)
        )
        if changes:
            yield _call_concern(name, changes, (statement.as_string(None),))
        elif mended != command:
            yield Concern(
                "procedure-selected",
                Severity.CRITICAL,
                None,
                name,
                "it runs a procedure by SELECT",
                "a procedure is run by CALL, in every version; the job has never worked",
                after=(statement.as_string(None),),
            )


def _calls_of_routines(connection: Connection, way: Way) -> Iterator[Concern]:
    pattern = r"\m(" + "|".join(CHANGED) + r")\M"
    for identity, source, definition in connection.execute(_ROUTINES_THAT_CALL, (pattern,)).fetchall():
        changes = changed_calls(source, schema=way.schema, installed=way.installed, target=way.target)
        if changes:
            mended = definition.replace(source, _replace(source, changes)).rstrip("\n") + ";"
            yield _call_concern(identity, changes, (mended,))


def _call_concern(name: str, changes: list[Rewritten], mended: tuple[str, ...]) -> Concern:
    left = [change for change in changes if change.new is None]
    what = "; ".join(dict.fromkeys(change.why for change in changes))
    return Concern(
        "call-changed",
        Severity.CRITICAL,
        min((change.since for change in changes), key=Version),
        name,
        f"{what}; by hand: {left[0].old}" if left else what,
        "it calls routines of pg_partman that take other parameters after the update",
        after=() if len(left) == len(changes) else mended,
    )


def _replace(text: str, changes: Iterable[Rewritten]) -> str:
    for change in changes:
        if change.new is not None:
            text = text.replace(change.old, change.new)
    return text


def _path(connection: Connection, way: Way) -> Iterator[Concern]:
    """Whether the server's files lead from one version to the other; where they lack the target, nothing can be said."""
    if way.offered is None or way.offered < way.target or way.installed >= way.target:
        return
    path = _one(
        connection,
        "select path from pg_extension_update_paths('pg_partman') where source = %(installed)s and target = %(wanted)s",
        installed=way.installed.text,
        wanted=way.target.text,
    )
    if path is None:
        yield Concern(
            "no-update-path",
            Severity.CRITICAL,
            way.target.text,
            "extension pg_partman",
            f"the server's files do not lead from {way.installed} to {way.target}",
            "an extension is updated by a chain of scripts, each from one version to the next",
        )


def _one(connection: Connection, query: str, **values: str) -> Any:
    row = connection.execute(query.encode(), values).fetchone()
    return None if row is None else row[0]
