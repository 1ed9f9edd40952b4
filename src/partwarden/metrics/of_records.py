"""What is measured of jobs, and of what partwarden keeps in a database: incidents, notifications, the monitor's looks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from partwarden.metrics.metric import Metric, Room
from partwarden.metrics.seen import HERE, Seen
from partwarden.survey import JobStanding, Record

_SEVERITIES = ("critical", "warning")


def _seconds(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()


def _duration(job: JobStanding) -> float | None:
    if job.last_started is None or job.last_finished is None:
        return None
    return max((job.last_finished - job.last_started).total_seconds(), 0)


def _success(job: JobStanding) -> float | None:
    return {"succeeded": 1, "failed": 0}.get(job.last_status or "")


JOBS: Room[Seen, JobStanding] = Room(
    "A job of pg_cron",
    (*HERE, "cron_job", "jobid", "job_database"),
    lambda seen: (((*seen.here, job.name, str(job.id), job.database), job) for job in seen.jobs),
    (
        Metric(
            "partwarden_job_active",
            "Whether pg_cron is to run it (1) or it is switched off (0).",
            lambda job: int(job.is_active),
        ),
        Metric(
            "partwarden_job_last_start_timestamp_seconds",
            "When its last finished run began.",
            lambda job: _seconds(job.last_started),
        ),
        Metric(
            "partwarden_job_last_end_timestamp_seconds",
            "When its last finished run ended.",
            lambda job: _seconds(job.last_finished),
        ),
        Metric("partwarden_job_last_duration_seconds", "How long its last finished run took.", _duration),
        Metric(
            "partwarden_job_last_success",
            "Whether pg_cron calls its last finished run succeeded (1) or failed (0).",
            _success,
        ),
        Metric(
            "partwarden_job_running_since_timestamp_seconds",
            "When the run began that has not finished.",
            lambda job: _seconds(job.running_since),
        ),
    ),
)


def _records(seen: Seen) -> Iterator[tuple[tuple[str, ...], Record]]:
    if seen.survey.record is not None:
        yield seen.here, seen.survey.record


RECORDS: Room[Seen, Record] = Room(
    "What partwarden keeps in a database",
    HERE,
    _records,
    (
        Metric(
            "partwarden_notifications_pending",
            "Notifications that are written and not delivered.",
            lambda record: record.pending,
        ),
        Metric(
            "partwarden_oldest_pending_notification_timestamp_seconds",
            "Since when the oldest of them waits.",
            lambda record: _seconds(record.pending_since),
        ),
        Metric(
            "partwarden_last_delivery_timestamp_seconds",
            "When a notification was last delivered.",
            lambda record: _seconds(record.delivered_at),
        ),
        Metric(
            "partwarden_monitor_last_look_timestamp_seconds",
            "When the monitor in the database last finished a look.",
            lambda record: _seconds(record.monitor_at),
        ),
        Metric(
            "partwarden_last_heartbeat_timestamp_seconds",
            "When the monitor's heartbeat was last accepted.",
            lambda record: _seconds(record.heartbeat_at),
        ),
        Metric(
            "partwarden_last_maintenance_success",
            "Whether the last call of partwarden.maintain() maintained all sets (1) or not (0); no sample while it runs.",
            lambda record: (
                None
                if record.maintenance is None or record.maintenance.outcome == "running"
                else int(record.maintenance.outcome == "succeeded")
            ),
        ),
    ),
)


def _incidents(seen: Seen) -> Iterator[tuple[tuple[str, ...], int]]:
    if seen.survey.record is not None:
        for severity in _SEVERITIES:
            yield (*seen.here, severity), seen.survey.record.open.get(severity, 0)


INCIDENTS: Room[Seen, int] = Room(
    "Incidents",
    (*HERE, "severity"),
    _incidents,
    (Metric("partwarden_open_incidents", "Incidents that are not resolved.", int),),
)


def _installed(seen: Seen) -> Iterator[tuple[tuple[str, ...], None]]:
    if seen.survey.record is not None:
        yield (*seen.here, seen.survey.record.version), None


INSTALLED: Room[Seen, None] = Room(
    "The release in the database",
    (*HERE, "version"),
    _installed,
    (Metric("partwarden_installed_info", "Which release of partwarden the database has; always 1.", lambda _: 1),),
)
