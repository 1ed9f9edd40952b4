"""What the formats say alike: how a database is called, in which order findings come, what they come to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC

from partwarden.findings import Finding, Report

_ADDRESS = ("host", "port", "database", "cron_database")


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """Critical before warning, then by check and object."""
    return sorted(findings, key=lambda finding: (finding.severity != "critical", finding.check, finding.object))


def database_of(report: Report) -> str:
    """The name of the database; empty when it could not be reached."""
    return report.server.get("database", "")


def name_of(report: Report) -> str:
    """The database as a line of text calls it: ``app (host=db.example.com dbname=app)``."""
    database = database_of(report)
    return f"{database} ({report.target})" if database else report.target


def versions_of(report: Report) -> list[str]:
    """What runs there: ``PostgreSQL 17.5``, ``pg_partman 5.2.4``; nothing when it could not be reached."""
    return [
        f"{'PostgreSQL' if name == 'postgresql' else name} {version}"
        for name, version in report.server.items()
        if name not in _ADDRESS
    ]


def cause_of(finding: Finding) -> str:
    """Why it is so, in words; empty where the check does not say."""
    return str(finding.detail.get("cause") or "")


def since_when(finding: Finding) -> str:
    """The minute, ``2026-11-23 15:17 UTC``; empty where nobody can know."""
    return f"{finding.since.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if finding.since else ""


def not_checked(report: Report) -> list[str]:
    """Checks that were not done, those with the same reason together: ``job-failed, headroom-low: reason``."""
    checks: dict[str, list[str]] = {}
    for skip in report.skipped:
        checks.setdefault(skip.reason, []).append(skip.check)
    return [f"{', '.join(together)}: {reason}" for reason, together in checks.items()]


def count(number: int, noun: str) -> str:
    """The number with its noun: 1 database, 2 databases."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def sum_up(reports: Sequence[Report]) -> str:
    """All in half a sentence: ``2 critical, 1 warning in 3 databases; 1 more could not be asked``."""
    asked = [report for report in reports if report.error is None]
    unasked = len(reports) - len(asked)
    if not reports:
        return "no database was asked"
    if not asked:
        return f"{count(unasked, 'database')} could not be asked"
    where = f" in {count(len(asked), 'database')}" if len(reports) > 1 else ""
    rest = f"; {unasked} more could not be asked" if unasked else ""
    return f"{_found(asked)}{where}{rest}"


def _found(reports: Sequence[Report]) -> str:
    severities = Counter(finding.severity for report in reports for finding in report.findings)
    counts = [f"{severities['critical']} critical"] if severities["critical"] else []
    if severities["warning"]:
        counts.append(count(severities["warning"], "warning"))
    if counts:
        return ", ".join(counts)
    if any(report.skipped for report in reports):
        return "nothing wrong found in what could be checked"
    return "nothing wrong found"
