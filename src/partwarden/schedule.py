"""Puts partwarden's two jobs for a database into pg_cron, under names that stay, and takes them out again."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from psycopg import sql

from partwarden.database import Connection, Server, connect, explained, inspect, quoted, setting
from partwarden.errors import ScheduleRefused
from partwarden.install import installed_version

DEFAULT_MAINTENANCE = "0 * * * *"
EVERY_MINUTE = "* * * * *"
EVERY_TEN_SECONDS = "10 seconds"

_LONGEST_NAME = 63  # pg_cron 1.4 keeps a job's name in a PostgreSQL name, which is cut silently
_SECONDS_SINCE = (1, 5)
SILENT_MONITOR = "call partwarden.monitor()"
MAINTENANCE = "call partwarden.maintain()"


class NoCron(ScheduleRefused):
    """There is no pg_cron where this database's jobs would be."""


@dataclass(frozen=True)
class Job:
    """A job as it should stand in pg_cron. ``change`` says what had to be done: added, changed or unchanged."""

    name: str
    schedule: str
    command: str
    database: str
    change: str


@dataclass(frozen=True)
class _Wanted:
    """What is asked for of a job; ``schedule`` and ``command`` are None where it may stay as it is."""

    kind: str
    schedule: str | None
    first_schedule: str
    command: str | None


@dataclass(frozen=True)
class ScheduleReport:
    """The jobs of one database, and what a person should know about them."""

    cron_database: str
    jobs: tuple[Job, ...]
    notes: tuple[str, ...]


def schedule(
    dsn: str,
    *,
    lambda_arn: str | None = None,
    topic_arn: str | None = None,
    maintenance: str | None = None,
    monitor: str | None = None,
    cron_database: str | None = None,
    cluster: str | None = None,
    timeout: float | None = None,
) -> ScheduleReport:
    """Schedule the maintenance and the monitor of the database that ``dsn`` leads to; repeating it changes nothing.

    ``maintenance`` and ``monitor`` are pg_cron schedules; what is left out stays as it is scheduled already. At first,
    maintenance is hourly, and the monitor looks every ten seconds where pg_cron can (1.5), else every minute; without
    ``lambda_arn`` it keeps incidents but tells nobody. A database without pg_partman gets the monitor only.
    ``cron_database`` is where pg_cron lives, if it can't be found. ``timeout`` is that of ``database.connect``.

    Raises ScheduleRefused naming what is missing: the schema, pg_cron, a privilege, a sensible schedule.
    """
    if (lambda_arn is None) != (topic_arn is None):
        raise ScheduleRefused(
            "an alert needs both, the Lambda function's ARN and the SNS topic's ARN",
            remedy="name --lambda-arn and --topic-arn, or leave both as they are scheduled",
        )
    with connect(dsn, timeout=timeout) as target:
        target.autocommit = True
        server = inspect(target)
        if installed_version(target) is None:
            raise ScheduleRefused(
                f"database {server.database} does not have partwarden", remedy="partwarden install DSN, with this DSN"
            )
        if cluster is not None:
            target.execute("update partwarden.setting set cluster = %s", (cluster,))
        also_by_agent = lambda_arn is not None and _deliver_by_both(target)
        aws_lambda_notes = list(_aws_lambda_notes(target, server.user))
        maintained = server.has("pg_partman")
    with open_cron(dsn, server.database, cron_database, timeout) as cron:
        cron_server = inspect(cron)
        notes = []
        wanted = [_Wanted("monitor", monitor, fastest(cron_server), monitor_command(lambda_arn, topic_arn))]
        if maintained:
            wanted.insert(0, _Wanted("maintain", maintenance, DEFAULT_MAINTENANCE, MAINTENANCE))
        else:
            notes.append(f"database {server.database} has no pg_partman, so it gets no maintenance job")
        for each in wanted:
            refuse_seconds(each.schedule, cron_server)
        with explained(f"could not schedule the jobs of database {server.database}", ScheduleRefused):
            refuse_unprivileged(cron, cron_server.user)
            with cron.transaction():
                jobs = tuple(_put(cron, each, server.database) for each in wanted)
        # Afterwards, and not before: a time that is kept twice is better than one that nobody keeps.
        kept_by_agent = _end_agents_schedule(dsn, [each.kind for each in wanted], timeout)
        if jobs[-1].command == SILENT_MONITOR:
            notes.append(
                "no --lambda-arn and --topic-arn: incidents are kept in partwarden.incident, and nobody is told"
            )
        else:
            notes += aws_lambda_notes
        if kept_by_agent:
            notes.append("an agent has kept the schedule until now; from now on pg_cron does")
        if also_by_agent:
            notes.append("an agent has delivered until now; from now on the function and the agent do")
        notes += _cron_notes(cron, server.database, cron_server.database)
    return ScheduleReport(cron_server.database, jobs, tuple(notes))


def unschedule(dsn: str, *, cron_database: str | None = None, timeout: float | None = None) -> list[str]:
    """Take this database's two jobs out of pg_cron; the names of those that were there."""
    with connect(dsn, timeout=timeout) as target:
        database = inspect(target).database
    removed = []
    with (
        open_cron(dsn, database, cron_database, timeout) as cron,
        explained("could not remove the jobs", ScheduleRefused),
    ):
        for kind in ("maintain", "monitor"):
            found = cron.execute(
                "select jobid, jobname from cron.job where jobname = %s and username = current_user",
                (job_name(kind, database),),
            ).fetchone()
            if found is not None:
                cron.execute("select cron.unschedule(%s::bigint)", (found[0],))
                removed.append(str(found[1]))
    return removed


@dataclass(frozen=True)
class ScheduledJob:
    """A job of partwarden's as it stands in pg_cron; ``kind`` is maintain or monitor."""

    kind: str
    name: str
    schedule: str
    command: str
    database: str
    active: bool


def scheduled(dsn: str, *, cron_database: str | None = None) -> tuple[ScheduledJob, ...]:
    """The jobs of this role that maintain and watch the database which ``dsn`` leads to. Raises NoCron."""
    with connect(dsn) as target:
        database = inspect(target).database
    with open_cron(dsn, database, cron_database) as cron, explained("could not read the jobs", ScheduleRefused):
        return jobs_of(cron, database)


def jobs_of(cron: Connection, database: str) -> tuple[ScheduledJob, ...]:
    """The same, where ``cron`` leads to the database that pg_cron lives in."""
    return tuple(
        ScheduledJob(kind, *found)
        for kind in ("maintain", "monitor")
        if (
            found := cron.execute(
                "select jobname, schedule, command, database, active from cron.job "
                "where jobname = %s and username = current_user",
                (job_name(kind, database),),
            ).fetchone()
        )
    )


def callers(dsn: str, lambda_arn: str, *, cron_database: str | None = None) -> tuple[str, ...]:
    """The names of all of partwarden's jobs of databases whose monitor calls this function. Raises NoCron."""
    with _cron_of(dsn, cron_database) as cron, explained("could not read the jobs", ScheduleRefused):
        return tuple(name for _, name in _callers_jobs(cron, lambda_arn))


def unschedule_callers(dsn: str, lambda_arn: str, *, cron_database: str | None = None) -> tuple[str, ...]:
    """Take out what ``callers`` names.

    Raises ScheduleRefused naming callers that are another role's, when it has taken out the others.
    """
    attempt = f"could not remove the jobs that call {lambda_arn}"
    with _cron_of(dsn, cron_database) as cron, explained(attempt, ScheduleRefused):
        jobs = _callers_jobs(cron, lambda_arn)
        with cron.transaction():
            for jobid, _ in jobs:
                cron.execute("select cron.unschedule(%s::bigint)", (jobid,))
        others = cron.execute(
            "select distinct username || ' in ' || database from cron.job where strpos(command, %s) > 0", (lambda_arn,)
        ).fetchall()
    if others:
        raise ScheduleRefused(
            f"{attempt}: there are some of role {', '.join(who for (who,) in others)}",
            remedy="as that role: partwarden unschedule DSN",
        )
    return tuple(name for _, name in jobs)


def _callers_jobs(cron: Connection, lambda_arn: str) -> list[tuple[int, str]]:
    databases = cron.execute(
        "select distinct database from cron.job "
        "where username = current_user and jobname like 'partwarden %%' and strpos(command, %s) > 0",
        (lambda_arn,),
    ).fetchall()
    names = [job_name(kind, database) for (database,) in databases for kind in ("maintain", "monitor")]
    return cron.execute(
        "select jobid, jobname from cron.job where username = current_user and jobname = any(%s) order by jobname",
        (names,),
    ).fetchall()


def runs_every_seconds(server: Server) -> bool:
    """Whether the server's pg_cron takes schedules like ``10 seconds``, as 1.5 and newer do."""
    return _version(server.extensions["pg_cron"].version) >= _SECONDS_SINCE


def job_name(kind: str, database: str) -> str:
    """The job's name in pg_cron: stable, and unique within 63 bytes whatever the database is called."""
    name = f"partwarden {kind} {database}"
    if len(name.encode()) <= _LONGEST_NAME:
        return name
    return f"partwarden {kind} {hashlib.sha256(database.encode()).hexdigest()[:32]}"


@contextmanager
def _cron_of(dsn: str, named: str | None) -> Iterator[Connection]:
    with connect(dsn) as target:
        database = inspect(target).database
    with open_cron(dsn, database, named) as cron:
        yield cron


@contextmanager
def open_cron(dsn: str, database: str, named: str | None, timeout: float | None = None) -> Iterator[Connection]:
    """A connection to the database that pg_cron lives in: the one named, this one, or the one the server says."""
    candidates = [named] if named is not None else [database]
    if named is None:
        with connect(dsn, timeout=timeout) as probe:
            configured = setting(probe, "cron.database_name")
        candidates += [configured] if configured else ["postgres"]
    for candidate in dict.fromkeys(candidates):
        with connect(dsn, database=candidate, timeout=timeout) as connection:
            connection.autocommit = True
            if inspect(connection).has("pg_cron"):
                yield connection
                return
    raise NoCron(
        f"pg_cron is not installed in database {' or '.join(dict.fromkeys(map(str, candidates)))}",
        remedy="add pg_cron to shared_preload_libraries, then: create extension pg_cron; "
        "or name its database with --cron-database",
    )


def _put(cron: Connection, wanted: _Wanted, database: str) -> Job:
    """Add the job, or change what is different; what the caller left open stays as it is."""
    name = job_name(wanted.kind, database)
    found = cron.execute(
        "select schedule, command, database, active from cron.job where jobname = %s and username = current_user",
        (name,),
    ).fetchone()
    when = wanted.schedule or (found[0] if found else wanted.first_schedule)
    command = wanted.command or (found[1] if found else SILENT_MONITOR)
    if found == (when, command, database, True):
        return Job(name, when, command, database, "unchanged")
    anew = found is not None and found[2:] != (database, True)
    for statement in statements_to_schedule(name, when, command, database, anew=anew):
        cron.execute(statement)
    return Job(name, when, command, database, "added" if found is None else "changed")


def statements_to_schedule(name: str, when: str, command: str, database: str, *, anew: bool) -> list[sql.Composed]:
    """What puts a job into pg_cron under its name; ``anew`` where there is one that is off, or for another database."""
    schedule = sql.SQL("select cron.schedule_in_database({}, {}, {}, {}, null, true);").format(
        name, when, command, database
    )
    # Scheduled again under its name, a job keeps its switch and its database; cron.alter_job() takes a grant of its own.
    return [*([statement_to_unschedule(name)] if anew else []), schedule]


def statement_to_unschedule(name: str) -> sql.Composed:
    """What takes a job of this role out of pg_cron."""
    return sql.SQL(
        "select cron.unschedule(jobid) from cron.job where jobname = {} and username = current_user;"
    ).format(name)


def monitor_command(lambda_arn: str | None, topic_arn: str | None) -> str | None:
    """The monitor's command where both are known."""
    if lambda_arn is None or topic_arn is None:
        return None
    return sql.SQL("call partwarden.monitor({}, {})").format(lambda_arn, topic_arn).as_string(None)


def fastest(cron_server: Server) -> str:
    """The schedule that a monitor gets at first."""
    return EVERY_TEN_SECONDS if runs_every_seconds(cron_server) else EVERY_MINUTE


def refuse_seconds(schedule_text: str | None, cron_server: Server) -> None:
    """Raise ScheduleRefused for a schedule of seconds that this pg_cron does not know."""
    if re.fullmatch(r"\s*\d+\s+seconds?\s*", schedule_text or "") and not runs_every_seconds(cron_server):
        raise ScheduleRefused(
            f"pg_cron {cron_server.extensions['pg_cron'].version} can't run a job every {(schedule_text or '').strip()}",
            remedy="that takes pg_cron 1.5 or newer; use '* * * * *'",
        )


def refuse_unprivileged(cron: Connection, user: str) -> None:
    """Raise ScheduleRefused when the role may not schedule jobs."""
    row = cron.execute(
        """
        select has_schema_privilege('cron', 'usage')
           and has_function_privilege('cron.schedule_in_database(text, text, text, text, text, boolean)', 'execute')
        """
    ).fetchone()
    if row != (True,):
        role = quoted(user)
        raise ScheduleRefused(
            f"role {user} may not schedule jobs in pg_cron",
            remedy=f"as its owner: grant usage on schema cron to {role}; "
            f"grant execute on function cron.schedule_in_database to {role};",
        )


def _deliver_by_both(target: Connection) -> bool:
    """Have the function be told where only an agent has been; whether that was so."""
    if target.execute("select to_regclass('partwarden.delivery') is null").fetchone() == (True,):
        return False  # an older partwarden, which knows of no agents
    changed = target.execute("update partwarden.setting set delivered_by = 'both' where delivered_by = 'agent'")
    return changed.rowcount > 0


def _end_agents_schedule(dsn: str, kinds: list[str], timeout: float | None) -> bool:
    """Have agents keep these jobs no longer; whether they have."""
    with connect(dsn, timeout=timeout) as target:
        target.autocommit = True
        if target.execute("select to_regclass('partwarden.agent_job') is null").fetchone() == (True,):
            return False  # an older partwarden, which knows of no agents
        return target.execute("delete from partwarden.agent_job where kind = any (%s)", (kinds,)).rowcount > 0


def _aws_lambda_notes(target: Connection, user: str) -> Iterator[str]:
    row = target.execute(
        "select has_schema_privilege(%s, oid, 'usage') from pg_namespace where nspname = 'aws_lambda'", (user,)
    ).fetchone()
    if row is None:
        yield "the extension aws_lambda is not here yet: create extension aws_lambda cascade;"
    elif row != (True,):
        role = quoted(user)
        yield (
            f"role {user} may not call Lambda yet: grant usage on schema aws_lambda, aws_commons to {role}; "
            f"grant execute on all functions in schema aws_lambda to {role};"
        )


def _cron_notes(cron: Connection, database: str, cron_database: str) -> Iterator[str]:
    others = cron.execute(
        """
        select jobid, coalesce(jobname, ''), command from cron.job
        where database = %s and active and command ~* 'run_maintenance' order by jobid
        """,
        (database,),
    ).fetchall()
    for jobid, name, _ in others:
        yield (
            f"pg_cron job {jobid} ({name or 'without a name'}) runs pg_partman's maintenance in {database} too; "
            f"partwarden's job replaces it: select cron.unschedule({jobid});"
        )
    if database != cron_database:
        yield (
            f"runs of jobs are recorded in database {cron_database}: install and schedule partwarden there too, "
            "and its monitor tells of jobs that fail"
        )


def _version(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:2])
