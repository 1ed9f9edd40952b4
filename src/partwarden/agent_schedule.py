"""The schedule that an agent keeps where pg_cron does not: table partwarden.agent_job, a row for each of the two jobs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from psycopg import sql

from partwarden.config import Database
from partwarden.config.models import Maintenance, Monitor
from partwarden.database import Connection
from partwarden.schedule import DEFAULT_MAINTENANCE, EVERY_TEN_SECONDS, MAINTENANCE, SILENT_MONITOR, monitor_command


@dataclass(frozen=True)
class KeptJob:
    """A job as an agent is to run it; ``kind`` is maintain or monitor."""

    kind: str
    schedule: str
    command: str


def kept_jobs(connection: Connection) -> dict[str, KeptJob]:
    """What agents keep in this database, by kind; none where no partwarden is that knows of it."""
    known = connection.execute("select to_regclass('partwarden.agent_job') is not null").fetchone()
    if known != (True,):
        return {}
    rows = connection.execute("select kind, schedule, command from partwarden.agent_job order by kind").fetchall()
    return {kind: KeptJob(kind, schedule, command) for kind, schedule, command in rows}


def wanted_jobs(database: Database, there: dict[str, KeptJob]) -> Iterator[KeptJob]:
    """The jobs that the file has sections for; what it leaves open stays as it is, or is as pg_cron would get it."""
    if isinstance(database.maintenance, Maintenance):
        kept = there.get("maintain")
        yield KeptJob(
            "maintain", database.maintenance.schedule or (kept.schedule if kept else DEFAULT_MAINTENANCE), MAINTENANCE
        )
    if isinstance(database.monitor, Monitor):
        kept = there.get("monitor")
        command = SILENT_MONITOR
        if database.monitor.channel not in ("none", "agent"):
            command = monitor_command(database.monitor.lambda_arn, database.monitor.topic_arn) or (
                kept.command if kept else SILENT_MONITOR
            )
        yield KeptJob("monitor", database.monitor.schedule or (kept.schedule if kept else EVERY_TEN_SECONDS), command)


def statement_to_keep(job: KeptJob) -> sql.Composed:
    """What has agents keep a job from now on, or otherwise than before."""
    return sql.SQL(
        "insert into partwarden.agent_job (kind, schedule, command) values ({}, {}, {}) "
        "on conflict (kind) do update set schedule = excluded.schedule, command = excluded.command;"
    ).format(job.kind, job.schedule, job.command)


def statement_to_drop(kind: str) -> sql.Composed:
    """What has agents keep it no longer."""
    return sql.SQL("delete from partwarden.agent_job where kind = {};").format(kind)


def missing_jobs(connection: Connection, database: Database) -> list[KeptJob]:
    """The jobs of the file that agents don't keep yet."""
    there = kept_jobs(connection)
    return [job for job in wanted_jobs(database, there) if job.kind not in there]


def adopt(connection: Connection, database: Database) -> list[KeptJob]:
    """Have agents keep the jobs of the file that they don't keep yet; those that were added."""
    added = []
    for job in missing_jobs(connection, database):
        row = connection.execute(
            "insert into partwarden.agent_job (kind, schedule, command) values (%s, %s, %s) "
            "on conflict (kind) do nothing returning kind",
            (job.kind, job.schedule, job.command),
        ).fetchone()
        if row is not None:
            added.append(job)
    return added
