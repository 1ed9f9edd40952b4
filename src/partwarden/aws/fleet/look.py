"""One look at a cluster: the checks of ``partwarden check`` in each of its databases, as evidence for incidents."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, cached_property

import psycopg

from partwarden import bundle
from partwarden.aws.fleet.incident import Found, Incident
from partwarden.aws.fleet.login import Login
from partwarden.aws.fleet.member import Member
from partwarden.database import connect_read_only, problem_of
from partwarden.errors import PartwardenError
from partwarden.findings import Finding, Report, Skipped, Status
from partwarden.health import Question, check_database, told_once

CANNOT_CHECK = "cannot-check"
"""The finding of a database, or of a whole cluster, that could not be looked at; no check can find it."""

CUT_SHORT = "look-cut-short"
"""The finding of a cluster whose databases are too many for the time that there is."""

MAINTENANCE_DATABASE = "postgres"

_AT_ONCE = 4
_DISCOVERY = """
    select datname from pg_catalog.pg_database
    where datallowconn and not datistemplate and datname <> 'rdsadmin'
      and pg_catalog.has_database_privilege(oid, 'connect')
    order by datname
"""


@dataclass(frozen=True)
class Look:
    """What one look at a cluster has shown.

    ``reports`` are by database; ``is_whole`` tells whether these are all of its databases that are to be looked at.
    """

    member: Member
    login: Login
    reports: dict[str, Report]
    is_whole: bool = True
    unseen: tuple[str, ...] = ()

    @property
    def status(self) -> Status:
        """The worst of its databases."""
        return max((report.status for report in self.reports.values()), key=lambda each: each.badness)

    @property
    def unreachable(self) -> bool:
        """Whether none of its databases could be looked at."""
        return all(report.error is not None for report in self.reports.values())

    @cached_property
    def found(self) -> tuple[Found, ...]:
        """What is wrong now; a cluster none of whose databases can be reached is one finding, not one for each."""
        return tuple(self._found())

    def shows_absence(self, incident: Incident) -> bool:
        """Whether this look would have found the incident: its check was done there, and not only for other objects."""
        if incident.check == CUT_SHORT:
            return not self.unreachable
        if incident.check == CANNOT_CHECK:
            return not self.unreachable and (self._has(incident.database) or self.is_whole)
        # A job is seen from its own database and from pg_cron's; from others it can't be missed.
        reports = [self.reports[name] for name in (incident.database, incident.seen_from) if name in self.reports]
        if reports:
            return any(report.error is None and _was_done(report, incident) for report in reports)
        return self.is_whole and not self.unreachable

    @property
    def _first(self) -> str:
        """What is found of the cluster as a whole is filed under one database, the same in each look."""
        return (self.member.databases or (MAINTENANCE_DATABASE,))[0]

    def _has(self, database: str) -> bool:
        return database in self.reports and self.reports[database].error is None

    def _found(self) -> Iterator[Found]:
        if self.unreachable:
            report = next(iter(self.reports.values()))
            yield self._cannot_check(self._first, self.member.name, f"cluster {self.member.name}", report)
            return
        for database, report in self.reports.items():
            if report.error is not None:
                yield self._cannot_check(database, database, f"database {database}", report)
            for finding in report.findings:
                yield _filed(finding, report)
        if self.unseen:
            yield Found(
                self._first, CUT_SHORT, self.member.name, "warning",
                f"the time was too short for {len(self.unseen)} of the databases of cluster {self.member.name}",
                {"cause": f"Not looked at: {', '.join(self.unseen)}."},
                "name fewer databases for it, or make it two members of the fleet",
                None,
            )  # fmt: skip

    def _cannot_check(self, database: str, name: str, what: str, report: Report) -> Found:
        remedy = f"partwarden check {self.login.shown(self.member, database)}"
        if self.member.problem is not None:
            remedy = "correct what the list of clusters says of it"
        return Found(
            database, CANNOT_CHECK, name, "critical", f"{what} could not be looked at",
            {"cause": report.error}, remedy, None,
        )  # fmt: skip


def look_at(member: Member, login: Login, question: Question, *, seconds_left: Callable[[], float]) -> Look:
    """Look at all databases of a cluster, some at once; never raises for what they are like.

    Databases whose turn does not come before the time is up are ``unseen``.
    """
    names = member.databases
    if member.problem is not None:
        return Look(member, login, {MAINTENANCE_DATABASE: Report(member.name, error=member.problem)}, is_whole=False)
    if not names:
        discovered = _discover(member, login, question)
        if isinstance(discovered, Report):
            return Look(member, login, {MAINTENANCE_DATABASE: discovered}, is_whole=False)
        names = discovered

    def check(name: str) -> Report | None:
        if seconds_left() < question.timeout + 2:
            return None
        return check_database(login.to(member, name), question, name=name)

    with ThreadPoolExecutor(min(_AT_ONCE, len(names))) as pool:
        answers = dict(zip(names, pool.map(check, names), strict=True))
    reports = {name: report for name, report in answers.items() if report is not None}
    unseen = tuple(name for name, report in answers.items() if report is None)
    if not reports:
        return Look(member, login, {names[0]: Report(names[0], error="there was no time left to look")}, is_whole=False)
    told = dict(zip(reports, told_once(list(reports.values())), strict=True))
    return Look(member, login, told, is_whole=not unseen, unseen=unseen)


def _discover(member: Member, login: Login, question: Question) -> tuple[str, ...] | Report:
    """The databases that the user may connect to, or why that can't be known."""
    try:
        dsn = login.to(member, MAINTENANCE_DATABASE)
        with connect_read_only(dsn, timeout=question.timeout) as connection:
            rows = connection.execute(_DISCOVERY).fetchall()
    except (PartwardenError, psycopg.Error) as failure:
        return Report(MAINTENANCE_DATABASE, error=problem_of(failure))
    return tuple(str(name) for (name,) in rows) or (MAINTENANCE_DATABASE,)


def _filed(finding: Finding, report: Report) -> Found:
    """What is found of pg_cron is filed under the database that it lives in, whichever database it was seen from."""
    home = report.server.get("cron_database") if finding.check in _cron_checks() else None
    return Found(
        home or finding.database, finding.check, finding.object, finding.severity, finding.summary,
        finding.detail, finding.remedy, finding.since, finding.database if home else None,
    )  # fmt: skip


def _was_done(report: Report, incident: Incident) -> bool:
    return not any(_hides(skipped, incident) for skipped in report.skipped)


def _hides(skipped: Skipped, incident: Incident) -> bool:
    # What says that a check could not be done is about the check.
    about = incident.object if incident.check == "check-error" else incident.check
    if skipped.check != about:
        return False
    return not skipped.partly or incident.object in skipped.objects


@cache
def _cron_checks() -> frozenset[str]:
    """Those of pg_cron and its jobs, and of no partition set."""
    return frozenset(
        check.id for check in bundle.checks() if "pg_cron" in check.needs and "pg_partman" not in check.needs
    )
