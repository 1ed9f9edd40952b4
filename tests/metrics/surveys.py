"""Surveys of databases in known states, made up: no server is asked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from partwarden.findings import Finding, Report, Skipped
from partwarden.status import SetStatus, Span
from partwarden.survey import JobStanding, MaintenanceCall, Record, Survey

NOW = datetime(2026, 11, 27, 5, 0, tzinfo=UTC)
DAY = timedelta(days=1)
TARGET = "host=db.example.com dbname=app user=app_owner"
HOSTILE = '"a ""b"" |\n[red]\x1b[31m\x00\u202e\\<script>'

BLOCKED = Finding("default-blocks-maintenance", "critical", "app", "app.events", "…", {}, None, None)
FILLED = Finding("default-not-empty", "warning", "app", "app.orders", "…", {}, None, NOW - 3 * DAY)


def a_report(name: str = "app", **said: Any) -> Report:
    """What the checks say of the database of this name."""
    server = {"host": "db.example.com", "port": "5432", "database": name, "postgresql": "17.6", "pg_partman": "5.2.4"}
    return Report(said.pop("target", TARGET.replace("app ", f"{name} ")), server=server, duration_ms=412, **said)


def unreachable(target: str = "old") -> Survey:
    """A database that could not be asked."""
    return Survey(target, NOW, Report(target, duration_ms=31, error="connection refused\n\tIs the server running?"))


def a_survey(name: str = "app", **said: Any) -> Survey:
    """A survey of the database of this name, at ``NOW``."""
    report = said.pop("report", None) or a_report(name)
    return Survey(report.target, NOW, report, **said)


def a_set(name: str = "app.events", *, left: timedelta | None = 4 * DAY, **said: Any) -> SetStatus:
    """A set by day, all well with it, whose partitions last for ``left``."""
    described: dict[str, Any] = {
        "name": name,
        "severity": None,
        "findings": (),
        "is_managed": True,
        "kind": "time",
        "interval": "1 day",
        "partitions": 9,
        "sub_sets": 0,
        "bytes": 123_456_789,
        "line": (),
        "now": 0,
        "ends_at": None if left is None else NOW + left,
        "is_endless": False,
        "ahead": 4,
        "has_default": True,
        "default_rows": 0,
        "knows_maintenance": True,
        "last_maintained": NOW - timedelta(minutes=14),
        "looked_at": NOW,
    }
    return SetStatus(**(described | said))


def spans(*sizes: int | None) -> Sequence[Span]:
    """Days from now on, each with so many bytes."""
    today = NOW.replace(hour=0).timestamp()
    return tuple(
        Span(today + day * 86400, today + (day + 1) * 86400, size, None if size is None else size // 100, None)
        for day, size in enumerate(sizes)
    )


def a_job(number: int = 3, name: str = "partwarden maintain app", database: str = "app", **said: Any) -> JobStanding:
    """A job of pg_cron whose last run took 90 seconds and succeeded."""
    described: dict[str, Any] = {
        "schedule": "0 * * * *",
        "command": "call partwarden.maintain()",
        "username": "app_owner",
        "is_active": True,
        "last_started": NOW - timedelta(minutes=60),
        "last_finished": NOW - timedelta(minutes=58, seconds=30),
        "last_status": "succeeded",
        "last_message": "CALL",
        "running_since": None,
        "usual": timedelta(seconds=80),
    }
    return JobStanding(id=number, name=name, database=database, **(described | said))


def a_record(**said: Any) -> Record:
    """What partwarden keeps where one incident is open and nothing waits."""
    described: dict[str, Any] = {
        "version": "0.1.0",
        "cluster": None,
        "monitor_at": NOW - timedelta(seconds=7),
        "heartbeat_at": NOW - timedelta(seconds=50),
        "open": {"critical": 1},
        "pending": 0,
        "pending_since": None,
        "delivery_error": None,
        "delivered_at": NOW - timedelta(hours=3),
        "maintenance": MaintenanceCall(
            12, NOW - timedelta(minutes=60), NOW - timedelta(minutes=58, seconds=30), "succeeded", 2, 0
        ),
        "maintained_at": NOW - timedelta(minutes=58, seconds=30),
        "reach": {},
    }
    return Record(**(described | said))


APP = a_survey(
    report=a_report(findings=(FILLED, BLOCKED), skipped=(Skipped("job-never-fires", "no"),)),
    sets=(
        a_set(severity="critical", left=timedelta(hours=-2), ahead=0),
        a_set("app.orders", severity="warning", default_rows=12),
        a_set("app.ids", left=None, kind="id", interval="1000", ids_left=86_400, ids_a_second=0.5, has_default=False),
    ),
    jobs=(a_job(),),
    record=a_record(),
)
"""A database with all there is to measure."""
