"""What the checks found in a database, and how bad that is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Any


class Status(IntEnum):
    """How a database is, or several are; the number is the exit code of monitoring plugins.

    https://www.monitoring-plugins.org/doc/guidelines.html#AEN78
    """

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3

    @property
    def word(self) -> str:
        """As reports write it: ok, warning, critical, unknown."""
        return self.name.lower()

    @property
    def badness(self) -> int:
        """The order of what to look at first: critical, unknown, warning, ok."""
        return {Status.OK: 0, Status.WARNING: 1, Status.UNKNOWN: 2, Status.CRITICAL: 3}[self]


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong now.

    ``severity`` is ``warning`` or ``critical``; ``detail`` holds the evidence, as JSON knows it, with the
    cause in words under ``cause``; ``remedy`` can be pasted; ``since`` is None where nobody can know.
    """

    check: str
    severity: str
    database: str
    object: str
    summary: str
    detail: dict[str, Any]
    remedy: str | None
    since: datetime | None


@dataclass(frozen=True)
class Skipped:
    """A check that was not done, or not for everything, and what would help.

    ``partly`` tells that it was done for what could be seen: what it no longer finds is gone, but for ``objects``.
    """

    check: str
    reason: str
    partly: bool = False
    objects: tuple[str, ...] = ()


@dataclass(frozen=True)
class Report:
    """How one database is.

    ``target`` is the connection as it may be shown; ``server`` holds names and versions (``host``, ``port``,
    ``database``, ``postgresql`` and each extension of interest), empty when it could not be reached;
    ``error`` says why it could not.
    """

    target: str
    findings: tuple[Finding, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    server: dict[str, str] = field(default_factory=dict)
    duration_ms: int = 0
    error: str | None = None

    @property
    def status(self) -> Status:
        """The worst of its findings; unknown when the database could not be asked."""
        if self.error is not None:
            return Status.UNKNOWN
        severities = {finding.severity for finding in self.findings}
        if "critical" in severities:
            return Status.CRITICAL
        return Status.WARNING if "warning" in severities else Status.OK


def worst(reports: Iterable[Report]) -> Status:
    """The status of several databases as one: critical, then unknown, then warning."""
    return max((report.status for report in reports), key=lambda status: status.badness, default=Status.UNKNOWN)
