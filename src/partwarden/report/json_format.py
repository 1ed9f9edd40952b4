"""For programs: JSON, as check-report.schema.json beside this module describes it.

It is all ASCII, so that neither a terminal nor an encoding can stumble over it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from partwarden.findings import Finding, Report, worst
from partwarden.report.summary import worst_first


def render(reports: Sequence[Report]) -> str:
    """One report as an object; several, or none, as an object that holds them under ``reports``."""
    if len(reports) == 1:
        return json.dumps(_report(reports[0]), indent=4) + "\n"
    together = {
        "status": worst(reports).word,
        "reports": [_report(report) for report in reports],
        "duration_ms": sum(report.duration_ms for report in reports),
    }
    return json.dumps(together, indent=4) + "\n"


def render_lines(reports: Sequence[Report]) -> str:
    """Each report as the object that it would be alone, on a line of its own."""
    return "".join(json.dumps(_report(report), separators=(",", ":")) + "\n" for report in reports)


def _report(report: Report) -> dict[str, Any]:
    return {
        "status": report.status.word,
        "target": report.target,
        "error": report.error,
        "findings": [_finding(finding) for finding in worst_first(report.findings)],
        "skipped": [{"check": skip.check, "reason": skip.reason} for skip in report.skipped],
        "server": report.server,
        "duration_ms": report.duration_ms,
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "check": finding.check,
        "severity": finding.severity,
        "database": finding.database,
        "object": finding.object,
        "summary": finding.summary,
        "detail": finding.detail,
        "remedy": finding.remedy,
        "since": _instant(finding.since) if finding.since else None,
    }


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
