"""Runs the checks from outside, with nothing installed, and sums up what they found."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import psycopg

from partwarden import bundle
from partwarden.cutoff import GRACE
from partwarden.database import (
    Connection,
    Server,
    connect_read_only,
    first_line,
    inspect,
    problem_of,
)
from partwarden.dsn import label
from partwarden.errors import NoAnswer, PartwardenError, UnknownCheck
from partwarden.findings import Finding, Report, Skipped
from partwarden.ground import Ground, find_ground, rows_of
from partwarden.nearest import nearest

_LOCK_TIMEOUT_AGAIN = "50ms"
"""Who has waited for a lock in vain does not wait as long once more for each check."""


@dataclass(frozen=True)
class Question:
    """What is to be checked, and how strictly.

    ``only`` and ``skip`` are ids of checks; ``severities`` replaces the severity of all findings of a check;
    ``thresholds`` are columns of the table partwarden.setting, which they take precedence over; ``timeout`` in seconds
    is for one database as a whole.
    """

    only: frozenset[str] = frozenset()
    skip: frozenset[str] = frozenset()
    severities: Mapping[str, str] = field(default_factory=dict)
    thresholds: Mapping[str, str | int | bool] = field(default_factory=dict)
    timeout: float = 60

    def __post_init__(self) -> None:
        known = [check.id for check in bundle.checks()]
        for name in sorted({*self.only, *self.skip, *self.severities}):
            if name not in known:
                raise UnknownCheck(f"there is no check {name!r}", remedy=_suggestion(name, known))

    @property
    def checks(self) -> tuple[bundle.Check, ...]:
        """The checks that are to be done."""
        return tuple(
            check for check in bundle.checks() if (not self.only or check.id in self.only) and check.id not in self.skip
        )

    def of(self, target: Target) -> Question:
        """The question as it is asked of one database, whose own thresholds hold where the question has none."""
        return replace(self, thresholds={**target.thresholds, **self.thresholds})


@dataclass(frozen=True)
class Target:
    """A database to check: its connection string, and what a report calls it, if not by that.

    ``thresholds`` are its own, where the question has none.
    """

    dsn: str
    name: str | None = None
    thresholds: Mapping[str, str | int | bool] = field(default_factory=dict)


def check_database(dsn: str, question: Question | None = None, *, name: str | None = None) -> Report:
    """Check one database, with nothing installed there; it is only read, in read-only transactions.

    Never raises for what a database can be like: one that can't be reached, or takes too long, is a Report with status
    unknown. Where the database has partwarden and the role may call its reader, ``partwarden.given()``, what the
    monitor remembers is used too.
    """
    question = question or Question()
    started = time.monotonic()
    target = name or label(dsn)
    try:
        with connect_read_only(dsn, timeout=question.timeout, cut_after=question.timeout + GRACE) as connection:
            found = examine(connection, dsn, question, deadline=started + question.timeout)
    except (PartwardenError, psycopg.Error) as failure:
        return unreachable(target, failure, question, started)
    return found.report(target, started)


@dataclass(frozen=True)
class Examined:
    """What was found by one look at a database: the rows of each view beside the checks, by its name, and the facts given."""

    findings: tuple[Finding, ...]
    skipped: tuple[Skipped, ...]
    server: dict[str, str]
    views: Mapping[str, tuple[Mapping[str, Any], ...]]
    facts: Mapping[str, Any]

    def report(self, target: str, started: float) -> Report:
        """As a report; ``started`` is when the look began, by the monotonic clock."""
        return Report(target, self.findings, self.skipped, self.server, _since(started))


def examine(
    connection: Connection, dsn: str, question: Question, *, deadline: float, views: Sequence[bundle.Check] = ()
) -> Examined:
    """Do the checks, and read ``views`` in the same statement, until ``deadline`` by the monotonic clock."""
    server = inspect(connection)
    ground = find_ground(connection, dsn, server, question.thresholds, timeout=question.timeout)
    findings, skipped, viewed = _run(connection, server, ground, question, views, deadline=deadline)
    return Examined(
        tuple(findings),
        tuple(skipped),
        _describe(connection, server, ground.facts),
        {name: tuple(rows) for name, rows in viewed.items()},
        ground.facts,
    )


def unreachable(target: str, failure: PartwardenError | psycopg.Error, question: Question, started: float) -> Report:
    """The report on a database that could not be asked."""
    is_late = isinstance(failure, (psycopg.errors.QueryCanceled, NoAnswer))
    problem = f"no answer within {question.timeout:g} s" if is_late else problem_of(failure)
    return Report(target, duration_ms=_since(started), error=problem)


def check_databases(targets: Sequence[Target], question: Question | None = None) -> list[Report]:
    """Check several databases at once, each for itself; the reports are in the order of ``targets``.

    A job that is seen both from its own database and from the one that pg_cron lives in is told of once, by its own.
    """
    asked = question or Question()

    def check(target: Target) -> Report:
        return check_database(target.dsn, asked.of(target), name=target.name)

    with ThreadPoolExecutor(max_workers=min(len(targets), 8) or 1) as pool:
        return told_once(list(pool.map(check, targets)))


def told_once(reports: Sequence[Report]) -> list[Report]:
    """The reports with each finding about a job of pg_cron in one of them only."""
    told_by = _tellers(reports)
    return [
        replace(
            report,
            findings=tuple(
                finding for finding in report.findings if told_by.get(_of_cron(report, finding), index) == index
            ),
        )
        for index, report in enumerate(reports)
    ]


def _tellers(reports: Sequence[Report]) -> dict[tuple[str, ...] | None, int]:
    """Of each finding about pg_cron, which report tells it: a job's own database, else the one of pg_cron."""
    told_by: dict[tuple[str, ...] | None, int] = {}
    for index, report in enumerate(reports):
        is_home = report.server.get("cron_database") == report.server.get("database")
        for finding in report.findings:
            key = _of_cron(report, finding)
            if key is not None and (key not in told_by or is_home != finding.object.startswith("job ")):
                told_by[key] = index
    return told_by


def _of_cron(report: Report, finding: Finding) -> tuple[str, ...] | None:
    """What makes a finding about pg_cron the same in two databases; None for any other finding."""
    if not any(check.id == finding.check and "pg_cron" in check.needs for check in bundle.checks()):
        return None
    return (report.server["host"], report.server["port"], finding.check, finding.object)


def _run(
    connection: Connection,
    server: Server,
    ground: Ground,
    question: Question,
    views: Sequence[bundle.Check],
    *,
    deadline: float,
) -> tuple[list[Finding], list[Skipped], dict[str, list[Mapping[str, Any]]]]:
    """All checks in one statement; when that fails, each by itself, so that one costs the others nothing."""
    todo, skipped = ground.doable(question.checks)
    findings = []
    viewed: dict[str, list[Mapping[str, Any]]] = {view.id: [] for view in views}
    unseen: dict[tuple[str, str], list[str]] = {}
    for row in _rows(connection, ground, [*todo, *views], skipped, deadline=deadline):
        check_id, severity, name, summary, detail, remedy, since = row
        if severity == "view":
            viewed[check_id].append(detail)
            continue
        if severity == "skipped":
            unseen.setdefault((check_id, f"{summary}: {remedy}"), []).append(name)
            continue
        findings.append(
            Finding(
                check_id,
                question.severities.get(check_id, severity),
                server.database,
                name,
                summary,
                detail,
                remedy,
                since,
            )
        )
    for (check_id, reason), names in unseen.items():
        others = f" and of {len(names) - 1} others" if len(names) > 1 else ""
        skipped.append(Skipped(check_id, f"of {min(names)}{others}, {reason}", partly=True, objects=tuple(names)))
    return findings, skipped, viewed


def _rows(
    connection: Connection,
    ground: Ground,
    todo: list[bundle.Check],
    skipped: list[Skipped],
    *,
    deadline: float,
) -> Iterator[tuple[Any, ...]]:
    if not todo:
        return
    try:
        _limit(connection, deadline)
        yield from rows_of(connection, ground.statement(todo))
    except psycopg.errors.QueryCanceled:
        raise
    except psycopg.Error as together:
        if connection.closed:
            raise
        if isinstance(together, psycopg.errors.LockNotAvailable):
            connection.execute("select pg_catalog.set_config('lock_timeout', %s, false)", (_LOCK_TIMEOUT_AGAIN,))
        for check in todo:
            try:
                _limit(connection, deadline)
                yield from rows_of(connection, ground.statement((check,)))
            except psycopg.errors.QueryCanceled:
                raise
            except psycopg.Error as failure:
                if connection.closed:
                    raise
                problem = first_line(failure)
                skipped.append(Skipped(check.id, f"the check failed: {problem}"))
                is_view = check.severity == "view"
                what = (
                    "the partition sets could not be looked at"
                    if is_view
                    else f"the check {check.id} could not be done"
                )
                again = "partwarden status" if is_view else f"partwarden check --only {check.id}"
                yield ("check-error", "warning", check.id, what, {"cause": problem}, again, None)


def _limit(connection: Connection, deadline: float) -> None:
    """Let the next statement take no longer than until the deadline."""
    left = max(int((deadline - time.monotonic()) * 1000), 1)
    connection.execute("select pg_catalog.set_config('statement_timeout', %s, false)", (str(left),))


def _describe(connection: Connection, server: Server, given: Mapping[str, Any]) -> dict[str, str]:
    """Names and versions, for the report; what is not there is left out."""
    row = connection.execute("select current_setting('server_version')").fetchone()
    assert row is not None
    cron = given.get("cron") or {}
    described: dict[str, str | None] = {
        "host": connection.info.host,
        "port": str(connection.info.port),
        "database": server.database,
        "postgresql": str(row[0]),
        "cron_database": cron.get("database"),
        "pg_cron": cron.get("version"),
        **{name: server.extensions[name].version for name in ("pg_partman", "aws_lambda") if name in server.extensions},
    }
    return {name: value for name, value in described.items() if value}


def _suggestion(name: str, known: Sequence[str]) -> str:
    near = nearest(name, known)
    return f"did you mean {near}?" if near else "partwarden checks lists them all"


def _since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
