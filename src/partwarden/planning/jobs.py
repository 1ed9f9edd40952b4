"""partwarden's jobs in pg_cron, as the file wants them."""

from __future__ import annotations

from collections.abc import Iterator

from partwarden.agent_schedule import KeptJob, kept_jobs, statement_to_drop, statement_to_keep, wanted_jobs
from partwarden.config import Database
from partwarden.config.models import Maintenance, Monitor
from partwarden.database import Connection, inspect
from partwarden.errors import PartwardenError
from partwarden.planning.differences import shown
from partwarden.planning.steps import Action, Change, Kind, Obstacle, Step
from partwarden.schedule import (
    DEFAULT_MAINTENANCE,
    MAINTENANCE,
    SILENT_MONITOR,
    ScheduledJob,
    fastest,
    job_name,
    jobs_of,
    monitor_command,
    refuse_seconds,
    refuse_unprivileged,
    statement_to_unschedule,
    statements_to_schedule,
)


def plan_jobs_of_agent(connection: Connection, wanted: Database) -> Iterator[Step]:
    """What is to be done about the jobs that an agent keeps; ``connection`` leads to the database itself."""
    there = kept_jobs(connection)
    jobs = {job.kind: job for job in wanted_jobs(wanted, there)}
    for kind, section in (("maintain", wanted.maintenance), ("monitor", wanted.monitor)):
        if kind in jobs:
            yield from _plan_kept(connection.info.dbname, there.get(kind), jobs[kind])
        elif section is False and kind in there:
            yield _drop_kept(connection.info.dbname, kind)


def plan_no_jobs_of_agent(connection: Connection) -> Iterator[Step]:
    """An agent keeps none of them any more: pg_cron does."""
    for kind in kept_jobs(connection):
        yield _drop_kept(connection.info.dbname, kind)


def plan_no_jobs(cron: Connection, database: str) -> Iterator[Step]:
    """pg_cron keeps none of them any more: an agent does."""
    cron_database = cron.info.dbname
    for job in jobs_of(cron, database):
        yield from _plan_job(job.kind, database, cron_database, job, None)


def _plan_kept(database: str, there: KeptJob | None, wanted: KeptJob) -> Iterator[Step]:
    before = {} if there is None else {"schedule": there.schedule, "command": there.command}
    after = {"schedule": wanted.schedule, "command": wanted.command}
    changes = tuple(Change(key, before.get(key), value) for key, value in after.items() if before.get(key) != value)
    if changes:
        yield Step(
            Kind.JOB,
            Action.ADD if there is None else Action.CHANGE,
            f"{job_name(wanted.kind, database)}, kept by the agent",
            "",
            (statement_to_keep(wanted).as_string(None),),
            changes,
        )


def _drop_kept(database: str, kind: str) -> Step:
    name = f"{job_name(kind, database)}, kept by the agent"
    return Step(Kind.JOB, Action.REMOVE, name, "unschedule", (statement_to_drop(kind).as_string(None),))


def plan_jobs(cron: Connection, database: str, wanted: Database) -> Iterator[Step | Obstacle]:
    """What is to be done about the jobs of a database; ``cron`` leads to where pg_cron lives."""
    server = inspect(cron)
    sections = [section for section in (wanted.maintenance, wanted.monitor) if section]
    try:
        for section in sections:
            refuse_seconds(section.schedule, server)
        refuse_unprivileged(cron, server.user)
    except PartwardenError as refused:
        if sections:  # else there is to be no job, and there is none of a role that may not schedule any
            yield Obstacle("jobs", refused.problem, refused.remedy or "", str(wanted.source))
        return
    there = {job.kind: job for job in jobs_of(cron, database)}
    if wanted.maintenance is not None:
        yield from _plan_job(
            "maintain", database, server.database, there.get("maintain"), _maintenance(wanted.maintenance, there)
        )
    if wanted.monitor is not None:
        yield from _plan_job(
            "monitor", database, server.database, there.get("monitor"), _monitor(wanted.monitor, there, fastest(server))
        )


def _maintenance(wanted: Maintenance | bool, there: dict[str, ScheduledJob]) -> tuple[str, str] | None:
    """Schedule and command; None where there is to be no such job."""
    if not isinstance(wanted, Maintenance):
        return None
    job = there.get("maintain")
    return wanted.schedule or (job.schedule if job else DEFAULT_MAINTENANCE), MAINTENANCE


def _monitor(wanted: Monitor | bool, there: dict[str, ScheduledJob], first: str) -> tuple[str, str] | None:
    if not isinstance(wanted, Monitor):
        return None
    job = there.get("monitor")
    command = SILENT_MONITOR
    if wanted.channel not in ("none", "agent"):
        command = monitor_command(wanted.lambda_arn, wanted.topic_arn) or (job.command if job else SILENT_MONITOR)
    return wanted.schedule or (job.schedule if job else first), command


def _plan_job(
    kind: str, database: str, cron_database: str, job: ScheduledJob | None, wanted: tuple[str, str] | None
) -> Iterator[Step]:
    name = job_name(kind, database)
    if wanted is None:
        if job is not None:
            statement = statement_to_unschedule(name).as_string(None)
            yield Step(Kind.JOB, Action.REMOVE, name, "unschedule", (statement,), cron_database=cron_database)
        return
    schedule, command = wanted
    before: dict[str, str] = {}
    if job is not None:
        before = {"schedule": job.schedule, "command": job.command, "active": shown(job.active) or ""}
    after = {"schedule": schedule, "command": command, "active": "yes"}
    if job is not None and job.database != database:
        before["database"], after["database"] = job.database, database
    changes = tuple(Change(key, before.get(key), value) for key, value in after.items() if before.get(key) != value)
    if not changes:
        return
    anew = job is not None and (job.database, job.active) != (database, True)
    statements = statements_to_schedule(name, schedule, command, database, anew=anew)
    yield Step(
        Kind.JOB,
        Action.ADD if job is None else Action.CHANGE,
        name,
        "",
        tuple(statement.as_string(None) for statement in statements),
        changes,
        cron_database=cron_database,
    )
