"""One database at one moment: what is wrong, how each set stands, what its jobs did, what partwarden keeps there.

What a page or a gauge shows of a database comes from one survey: one connection, one statement for the checks and the sets.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from partwarden import bundle
from partwarden.cutoff import GRACE
from partwarden.database import Connection, connect_read_only, problem_of
from partwarden.dsn import label
from partwarden.errors import CouldNotConnect, PartwardenError
from partwarden.findings import Report
from partwarden.health import Question, Target, examine, told_once, unreachable
from partwarden.status import EARLIEST, TOO_LATE, SetStatus, set_view, statuses


@dataclass(frozen=True)
class JobStanding:
    """A job of pg_cron and its newest runs. ``last_…`` is its newest finished run, ``running_since`` one that is not finished.

    ``usual`` is how long a successful run takes. All times are None where they are not known.
    """

    id: int
    name: str
    schedule: str
    command: str
    database: str
    username: str
    is_active: bool
    last_started: datetime | None
    last_finished: datetime | None
    last_status: str | None
    last_message: str | None
    running_since: datetime | None
    usual: timedelta | None


@dataclass(frozen=True)
class MaintenanceCall:
    """A call of ``partwarden.maintain()``; ``finished_at`` is None while it runs, or where it was interrupted."""

    id: int
    started_at: datetime
    finished_at: datetime | None
    outcome: str
    sets: int
    sets_failed: int


@dataclass(frozen=True)
class Record:
    """What partwarden keeps in a database.

    ``open`` is how many incidents are open, by severity; ``pending`` how many notifications wait, ``pending_since`` since when
    the oldest does and ``delivery_error`` why. ``maintained_at`` is the end of the last call that maintained every set.
    ``reach`` is, by pg_partman's name of a set, where its partitions ended about a day ago: when that was seen, and the end.
    """

    version: str
    cluster: str | None
    monitor_at: datetime | None
    heartbeat_at: datetime | None
    open: Mapping[str, int]
    pending: int
    pending_since: datetime | None
    delivery_error: str | None
    delivered_at: datetime | None
    maintenance: MaintenanceCall | None
    maintained_at: datetime | None
    reach: Mapping[str, tuple[datetime, datetime]]


@dataclass(frozen=True)
class Survey:
    """A database as it was at ``taken_at``; where it could not be asked, ``unseen`` says why and all else is empty.

    ``record`` is None where partwarden is not installed, or may not be read, which ``unrecorded`` says.
    """

    name: str
    taken_at: datetime
    report: Report
    sets: tuple[SetStatus, ...] = ()
    jobs: tuple[JobStanding, ...] = ()
    record: Record | None = None
    unrecorded: str | None = None
    unseen: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """What the server says of pg_cron: the relation ``cron_server``; empty where there is none."""


def survey(
    dsn: str, question: Question | None = None, *, name: str | None = None, past: int = 60, ahead: int = 60
) -> Survey:
    """Look at one database; never raises for what a database can be like.

    ``past`` and ``ahead`` are how many partitions of each time line are read. The database is only read, in read-only
    transactions, and nothing has to be installed there.
    """
    question = question or Question()
    started = time.monotonic()
    taken_at = datetime.now(UTC)
    target = name or label(dsn)
    try:
        with connect_read_only(dsn, timeout=question.timeout, cut_after=question.timeout + GRACE) as connection:
            view = set_view(past=past, ahead=ahead)
            found = examine(connection, dsn, question, deadline=started + question.timeout, views=(view,))
            record, unrecorded = _record(connection)
    except (PartwardenError, psycopg.Error) as failure:
        report = unreachable(target, failure, question, started)
        unseen = failure.for_everybody if isinstance(failure, CouldNotConnect) else report.error
        return Survey(target, taken_at, report, unseen=unseen)
    told = defaultdict(list)
    for finding in found.findings:
        told[finding.object].append((finding.severity, finding.check))
    return Survey(
        name=target,
        taken_at=taken_at,
        report=found.report(target, started),
        sets=statuses(found.views[view.id], told),
        jobs=_jobs(found.facts),
        record=record,
        unrecorded=unrecorded,
        facts=found.facts.get("cron") or {},
    )


def survey_databases(targets: Sequence[Target], question: Question | None = None) -> list[Survey]:
    """Look at several databases at once, each for itself; in the order of ``targets``.

    What is found of a job that is seen both from its own database and from the one that pg_cron lives in is told of once.
    """
    asked = question or Question()

    def look(target: Target) -> Survey:
        return survey(target.dsn, asked.of(target), name=target.name)

    with ThreadPoolExecutor(max_workers=min(len(targets), 8) or 1) as pool:
        surveys = list(pool.map(look, targets))
    return [
        replace(each, report=report)
        for each, report in zip(surveys, told_once([each.report for each in surveys]), strict=True)
    ]


def _record(connection: Connection) -> tuple[Record | None, str | None]:
    """What partwarden keeps here, or why that is not known."""
    row = connection.execute(
        """
        select
            has_schema_privilege(oid, 'usage'),
            exists (select from pg_class where relnamespace = pg_namespace.oid and relname = 'reach')
        from pg_namespace where nspname = 'partwarden'
        """
    ).fetchone()
    may_not = f"role {connection.info.user} may not read it: partwarden install --reader {connection.info.user}"
    if row is None:
        return None, "partwarden is not installed in this database"
    if not row[1]:
        return None, "this database has an older partwarden: partwarden install brings it to this version"
    if not row[0]:
        return None, may_not
    try:
        found = connection.execute(bundle.source("record")).fetchone()
    except psycopg.errors.InsufficientPrivilege:
        return None, may_not
    except psycopg.Error as failure:
        return None, f"it could not be read: {problem_of(failure)}"
    assert found is not None
    return _as_record(found[0]), None


def _as_record(kept: Mapping[str, Any]) -> Record:
    call = kept["maintenance"]
    return Record(
        version=kept["version"],
        cluster=kept["cluster"],
        monitor_at=_at(kept["monitor_at"]),
        heartbeat_at=_at(kept["heartbeat_at"]),
        open=kept["open"] or {},
        pending=kept["pending"],
        pending_since=_at(kept["pending_since"]),
        delivery_error=kept["delivery_error"],
        delivered_at=_at(kept["delivered_at"]),
        maintenance=None
        if call is None
        else MaintenanceCall(
            call["id"],
            datetime.fromisoformat(call["started_at"]),
            _at(call["finished_at"]),
            call["outcome"],
            call["sets"],
            call["sets_failed"],
        ),
        maintained_at=_at(kept["maintained_at"]),
        reach={
            parent: (datetime.fromtimestamp(seen, UTC), datetime.fromtimestamp(edge, UTC))
            for parent, (seen, edge) in (kept["reach"] or {}).items()
            if EARLIEST < edge < TOO_LATE
        },
    )


def _jobs(facts: Mapping[str, Any]) -> tuple[JobStanding, ...]:
    """The jobs that the checks were given, with what is known of their newest runs, by name."""
    runs = {run["jobid"]: run for run in facts.get("cron_run") or ()}
    jobs = [_job(job, runs.get(job["jobid"], {})) for job in facts.get("cron_job") or ()]
    return tuple(sorted(jobs, key=lambda job: (job.name, job.id)))


def _job(job: Mapping[str, Any], run: Mapping[str, Any]) -> JobStanding:
    is_running = run.get("newest_runid") is not None and run.get("newest_runid") != run.get("runid")
    return JobStanding(
        id=job["jobid"],
        name=job.get("jobname") or f"job {job['jobid']}",
        schedule=job["schedule"],
        command=job["command"],
        database=job["database"],
        username=job["username"],
        is_active=job["active"],
        last_started=_at(run.get("start_time")),
        last_finished=_at(run.get("end_time")),
        last_status=run.get("status"),
        last_message=run.get("return_message"),
        running_since=_at(run.get("newest_start")) if is_running else None,
        usual=_length(run.get("usual")),
    )


def _at(text: str | None) -> datetime | None:
    """A moment of PostgreSQL's JSON; None also for one that Python does not know, before year 1 or after 9999."""
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


_LENGTH_PARTS: Sequence[str] = ("hours", "minutes", "seconds")


def _length(text: str | None) -> timedelta | None:
    """An interval as PostgreSQL writes it in JSON: ``[N days ]HH:MM:SS[.ffffff]``; None for any other."""
    if text is None:
        return None
    days, _, clock = text.rpartition(" ")
    try:
        parts = {name: float(part) for name, part in zip(_LENGTH_PARTS, clock.split(":"), strict=True)}
        return timedelta(days=int(days.split()[0]) if days else 0, **parts)
    except ValueError:
        return None
