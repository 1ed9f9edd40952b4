"""pg_cron's jobs on a time axis: each run of the last day, and each that should have started and did not."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from partwarden import bundle
from partwarden.database import Connection, connect_read_only
from partwarden.survey import JobStanding, Survey

WIDTH = 1000.0
_GROUND = 24.0
_LONG = 5
"""A run that takes so many times as long as usual is long, as the check job-stuck sees it, if it takes over a second."""
SLOTS = 288
SLOT = timedelta(minutes=5)
_SECONDS = 20
_LATE = timedelta(minutes=1)
"""pg_cron looks at the clock once a minute; a run that has just become due is not missing yet."""
_EVERY_SECONDS = re.compile(r"\s*\d+\s*seconds?\s*", re.IGNORECASE)
_EVERY_HOUR = re.compile(r"\s*\S+(\s+\*){4}\s*|\s*@hourly\s*")
_JOB = re.compile(r"job (\d+)\b")
_WORDS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
}


@dataclass(frozen=True)
class Slot:
    """The runs of a job in five minutes: those from ``number`` times five minutes ago on. ``longest`` is in seconds."""

    number: int
    begins: datetime
    runs: int
    failed: int
    unfinished: int
    longest: float | None
    message: str | None


@dataclass(frozen=True)
class Tick:
    """A slot as it is drawn: ``kind`` is succeeded, failed, long or running; the longer it took, the higher."""

    kind: str
    x: float
    y: float
    height: float
    title: str


@dataclass(frozen=True)
class JobLine:
    """A job and its last day. ``missing`` are the instants at which it should have started and did not."""

    job: JobStanding
    ticks: tuple[Tick, ...]
    rings: tuple[Tick, ...]
    slots: tuple[Slot, ...]
    missing: tuple[datetime, ...]
    findings: tuple[tuple[str, str], ...]
    """Severity and summary of what checks find of the job."""


@dataclass(frozen=True)
class JobsInFull:
    """The jobs of a database from ``begins`` to ``ends``; ``problem`` says why runs are not known.

    ``hides_others`` says that row-level security shows a role its own jobs only, and there may be more.
    """

    begins: datetime
    ends: datetime
    known_from: datetime
    lines: tuple[JobLine, ...]
    problem: str | None
    hides_others: bool = False


def read_jobs(dsn: str, newest: Survey) -> JobsInFull:
    """The jobs that the survey knows, with their runs; pg_cron's own database is asked.

    Raises CouldNotConnect, and what the server raises.
    """
    ends = datetime.now(UTC)
    begins = ends - SLOTS * SLOT
    home = newest.facts.get("database")
    if home is None:
        return JobsInFull(begins, ends, ends, (), _why_no_jobs(newest))
    slots: Mapping[int, list[Slot]]
    slots, known_from = {}, ends
    problem = "cron.log_run is off: pg_cron records no runs" if newest.facts.get("log_run") == "off" else None
    with connect_read_only(dsn, timeout=_SECONDS, cut_after=2 * _SECONDS, database=str(home)) as connection:
        ends = _now(connection)
        begins = ends - SLOTS * SLOT
        if _may_read(connection):
            rows = connection.execute(bundle.source("run_log").encode()).fetchall()
            slots, known_from = _slots(rows, ends), _known_from(connection.execute(_OLDEST).fetchone(), begins)
        else:
            problem = "this role may not read pg_cron's log of runs: only the newest run of each job is known"
    zone = _zone(newest.facts.get("timezone")) if newest.facts.get("sees_settings") else None
    told = _told(newest)
    lines = []
    for job in newest.jobs:
        ran = tuple(slots.get(job.id, ()))
        missing = () if problem is not None else tuple(_missing(job, ran, max(known_from, begins), ends, zone))
        lines.append(
            JobLine(
                job=job,
                ticks=tuple(_tick(slot, job, begins) for slot in ran),
                rings=tuple(
                    Tick("missing", _x(at, begins), 5, 18, f"{at:%H:%M} UTC: should have started") for at in missing
                ),
                slots=ran,
                missing=missing,
                findings=tuple(told.get(job.id, ())),
            )
        )
    return JobsInFull(
        begins,
        ends,
        known_from,
        tuple(sorted(lines, key=_badness)),
        problem,
        hides_others=bool(newest.facts.get("hidden")),
    )


def _now(connection: Connection) -> datetime:
    """The server's clock, which its runs were written down by."""
    row = connection.execute("select now()").fetchone()
    assert row is not None
    now: datetime = row[0]
    return now.astimezone(UTC)


def _may_read(connection: Connection) -> bool:
    row = connection.execute(
        "select case when has_schema_privilege('cron', 'usage')"
        " then has_table_privilege('cron.job_run_details', 'select') else false end"
    ).fetchone()
    return row == (True,)


def _x(at: datetime, begins: datetime) -> float:
    return round(WIDTH * ((at - begins) / (SLOTS * SLOT)), 1)


def _tick(slot: Slot, job: JobStanding, begins: datetime) -> Tick:
    """A run of the usual length is half as high as there is room; one that takes a multiple of it is long."""
    usual = job.usual.total_seconds() if job.usual is not None else None
    times = (slot.longest or 0.0) / usual if usual else 1.0
    kind = (
        "failed" if slot.failed else "running" if slot.unfinished else "long" if _is_long(slot, times) else "succeeded"
    )
    height = round(min(max(6 + 6 * times, 6), _GROUND), 1)
    said = f"{slot.begins:%H:%M} UTC: {slot.runs} {'run' if slot.runs == 1 else 'runs'}"
    if slot.longest is not None:
        said += f", the longest {slot.longest:.1f} s"
    if slot.failed:
        said += f", {slot.failed} failed: {slot.message or 'no message'}"
    return Tick(kind, _x(slot.begins, begins), round(_GROUND - height, 1), height, said)


def _is_long(slot: Slot, times: float) -> bool:
    return times > _LONG and (slot.longest or 0.0) > 1.0


_OLDEST = b"""
select coalesce(start_time, end_time) from cron.job_run_details
where runid > (select last_value - 20000 from cron.runid_seq) order by runid limit 1
"""


def _slots(
    rows: Sequence[tuple[int, int, int, int, int, float | None, str | None]], ends: datetime
) -> dict[int, list[Slot]]:
    slots = defaultdict(list)
    for job, slot, runs, failed, unfinished, longest, message in sorted(rows, key=lambda row: -row[1]):
        slots[job].append(
            Slot(
                slot,
                ends - (slot + 1) * SLOT,
                runs,
                failed,
                unfinished,
                None if longest is None else float(longest),
                message,
            )
        )
    return slots


def _known_from(row: tuple[datetime | None] | None, begins: datetime) -> datetime:
    """Since when runs are known: the log may have been purged, or hold more than is read of it."""
    return begins if row is None or row[0] is None else max(row[0], begins)


def expected(schedule: str, begins: datetime, ends: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """When pg_cron starts a job between two moments, the first not counted; nothing for what is due every few seconds.

    Nor for what only pg_cron reads (``$``, reversed ranges): of these the check job-overdue tells.
    """
    if _EVERY_SECONDS.fullmatch(schedule):
        return
    try:
        times = CronSim(_WORDS.get(schedule.strip(), schedule), begins.astimezone(zone))
    except CronSimError:
        return
    for at in times:
        if at >= ends:
            return
        yield at.astimezone(UTC)


def _missing(
    job: JobStanding, slots: Sequence[Slot], begins: datetime, ends: datetime, zone: ZoneInfo | None
) -> Iterator[datetime]:
    """The instants at which nothing started: each takes one run of its own five minutes, else of the next.

    Without a ``zone`` only of what is due every hour and more often: for that it does not matter which hour it is.
    """
    known = slots[0].begins + SLOT if slots else None if job.last_started is None else job.last_started + _LATE
    if not job.is_active or known is None:
        return  # where it never ran it may be new; check job-overdue knows since when it has its schedule
    if zone is None and not _EVERY_HOUR.fullmatch(job.schedule):
        return
    left = {slot.number: slot.runs for slot in slots}
    for at in expected(job.schedule, max(begins, known), ends - _LATE, zone or ZoneInfo("UTC")):
        own = _slot_of(at, ends)
        taken = next((number for number in (own, own - 1) if left.get(number, 0) > 0), None)
        if taken is None:
            yield at
        else:
            left[taken] -= 1


def _slot_of(at: datetime, ends: datetime) -> int:
    return int((ends - at) / SLOT)


def _zone(name: object) -> ZoneInfo:
    try:
        return ZoneInfo(str(name or "UTC"))
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def _told(newest: Survey) -> dict[int, list[tuple[str, str]]]:
    """What checks find of each job, by its number: they name it as the relation ``cron_job`` does."""
    told = defaultdict(list)
    for finding in newest.report.findings:
        if match := _JOB.match(finding.object):
            told[int(match[1])].append((finding.severity, finding.summary))
    return told


def _badness(line: JobLine) -> tuple[bool, bool, str]:
    has_failed = line.job.last_status == "failed"
    return not line.findings, not (line.missing or has_failed), line.job.name


def _why_no_jobs(newest: Survey) -> str:
    reasons = [skipped.reason for skipped in newest.report.skipped if skipped.check == "scheduler-down"]
    return reasons[0] if reasons else "there is no pg_cron on this server"
