"""Every database in one row: how it is, what is worst, which set is the tightest, when it was last cared for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from partwarden.findings import Finding, Report, Status
from partwarden.health import told_once
from partwarden.status import SetStatus
from partwarden.survey import Survey

PAGE = 100
"""So many rows are shown at once."""


class Standing(StrEnum):
    """How a database is, in the words of the page; the order is that of the page."""

    CRITICAL = "critical"
    UNKNOWN = "unknown"
    WARNING = "warning"
    WAITING = "waiting"
    OK = "ok"


_STANDINGS = {
    Status.CRITICAL: Standing.CRITICAL,
    Status.UNKNOWN: Standing.UNKNOWN,
    Status.WARNING: Standing.WARNING,
    Status.OK: Standing.OK,
}
_ORDER = list(Standing)


@dataclass(frozen=True)
class FleetRow:
    """One database. ``default_rows`` is an estimate, and None where there are some and nobody knows how many.

    ``tightest`` is the set whose partitions run out first. ``open`` is how many incidents are open there, None where nothing
    is kept of them.
    """

    name: str
    standing: Standing
    error: str | None
    worst: Finding | None
    findings: tuple[Finding, ...]
    sets: int
    tightest: SetStatus | None
    default_rows: int | None
    open: int | None
    maintained_at: datetime | None
    told_at: datetime | None
    pending: int
    taken_at: datetime | None


@dataclass(frozen=True)
class Fleet:
    """The rows of one page, and how many there are in all: by standing, and that match what was asked for."""

    rows: tuple[FleetRow, ...]
    counts: dict[Standing, int]
    matching: int
    page: int
    pages: int
    first_to_run_out: FleetRow | None


def summed_up(surveys: Iterable[tuple[str, Survey | None]]) -> tuple[FleetRow, ...]:
    """A row for every database, the worst first."""
    listed = list(surveys)
    reports = iter(told_once([each.report for _, each in listed if each is not None]))
    rows = [_waiting(name) if each is None else _row(each, next(reports)) for name, each in listed]
    return tuple(sorted(rows, key=_badness))


def chosen(rows: Sequence[FleetRow], *, text: str = "", standing: str = "", page: int = 1) -> Fleet:
    """The rows that hold ``text`` in the name or in what is found, and stand like that; a page of them."""
    wanted = text.strip().lower()
    matching = [
        row
        for row in rows
        if (not standing or row.standing.value == standing)
        and (not wanted or any(wanted in said for said in _said(row)))
    ]
    pages = max((len(matching) + PAGE - 1) // PAGE, 1)
    page = min(max(page, 1), pages)
    return Fleet(
        rows=tuple(matching[(page - 1) * PAGE : page * PAGE]),
        counts={each: sum(row.standing is each for row in rows) for each in Standing},
        matching=len(matching),
        page=page,
        pages=pages,
        first_to_run_out=min(
            (row for row in rows if row.tightest is not None), key=lambda row: left_of(row.tightest), default=None
        ),
    )


def tightest(sets: Iterable[SetStatus]) -> SetStatus | None:
    """The set whose partitions run out first, by the clock or at the rate at which its ids are used up."""
    kept = (each for each in sets if each.is_managed and each.full_at is not None)
    return min(kept, key=left_of, default=None)


def left_of(each: SetStatus | None) -> float:
    """How many seconds are left to a set; infinite where nobody knows."""
    if each is None or each.full_at is None:
        return float("inf")
    return (each.full_at - each.looked_at).total_seconds()


def default_rows_of(sets: Iterable[SetStatus]) -> int | None:
    """How many rows lie in default partitions; None where there are some and nobody knows how many."""
    total = 0
    for each in sets:
        if each.default_rows is None:
            return None
        total += each.default_rows
    return total


def worst_of(report: Report) -> Finding | None:
    """The worst finding, the oldest of them; one of a set before one of a job, which is where it may have come from."""
    return min(
        report.findings,
        key=lambda each: (
            each.severity,
            each.check.startswith("job-"),
            each.since is None,
            each.since.timestamp() if each.since else 0.0,
            each.object,
        ),
        default=None,
    )


def _row(each: Survey, report: Report) -> FleetRow:
    record = each.record
    return FleetRow(
        name=each.name,
        standing=_STANDINGS[report.status],
        error=each.unseen,
        worst=worst_of(report),
        findings=report.findings,
        sets=len(each.sets),
        tightest=tightest(each.sets),
        default_rows=default_rows_of(each.sets),
        open=None if record is None else sum(record.open.values()),
        maintained_at=_maintained_at(each),
        told_at=None if record is None else record.delivered_at,
        pending=0 if record is None else record.pending,
        taken_at=each.taken_at,
    )


def _waiting(name: str) -> FleetRow:
    return FleetRow(name, Standing.WAITING, None, None, (), 0, None, 0, None, None, None, 0, None)


def _maintained_at(each: Survey) -> datetime | None:
    """When maintenance last came to its end for every set; where nobody calls partwarden.maintain(), for any set."""
    if each.record is not None and (each.record.maintained_at is not None or each.record.maintenance is not None):
        return each.record.maintained_at
    return max((one.last_maintained for one in each.sets if one.last_maintained is not None), default=None)


def _badness(row: FleetRow) -> tuple[int, float, str]:
    return _ORDER.index(row.standing), left_of(row.tightest), row.name


def _said(row: FleetRow) -> Iterable[str]:
    yield row.name.lower()
    for each in row.findings:
        yield from (each.check, each.object.lower(), each.summary.lower())
    if row.error is not None:
        yield row.error.lower()
