"""For Nagios, Icinga and their kin: the output of a monitoring plugin.

https://www.monitoring-plugins.org/doc/guidelines.html#PLUGOUTPUT and #AEN200, performance data.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from partwarden.findings import Finding, Report, worst
from partwarden.report.summary import cause_of, name_of, not_checked, since_when, sum_up, worst_first
from partwarden.report.text import in_one_line, visible_lines

_LONGEST_TEXT = 250
_MOST_NAMED = 10


def render(reports: Sequence[Report]) -> str:
    """A line with the status, what is wrong and performance data; then lines that tell more."""
    lines = [f"{_first_text(reports)} | {_performance(reports)}"]
    for report in reports:
        lines.extend(_long_text(report))
    return "\n".join(lines) + "\n"


def _first_text(reports: Sequence[Report]) -> str:
    text = f"PARTWARDEN {worst(reports).name} - {sum_up(reports)}"
    names = _names(reports)
    for named in range(min(len(names), _MOST_NAMED), 0, -1):
        rest = f" (+{len(names) - named} more)" if named < len(names) else ""
        whole = f"{text}: {', '.join(names[:named])}{rest}"
        if len(whole) <= _LONGEST_TEXT:
            return whole
    return f"{text}: {names[0]}"[: _LONGEST_TEXT - 3] + "..." if names else text


def _names(reports: Sequence[Report]) -> list[str]:
    """What the first line names: findings of all databases worst first, then databases that could not be asked."""
    findings = worst_first(finding for report in reports for finding in report.findings)
    names = [f"{finding.object} {finding.check}" for finding in findings]
    if len(reports) > 1:
        names = [f"{finding.database}/{name}" for finding, name in zip(findings, names, strict=True)]
    names += [report.target for report in reports if report.error is not None]
    return [_plain(name) for name in names]


def _performance(reports: Sequence[Report]) -> str:
    """Counts that alert when they are above 0, in the guidelines' notation of ranges, and the time taken."""
    severities = [finding.severity for report in reports for finding in report.findings]
    unknown = sum(report.error is not None for report in reports)
    seconds = sum(report.duration_ms for report in reports) / 1000
    return (
        f"critical={severities.count('critical')};;0;0 warning={severities.count('warning')};0;;0"
        f" unknown={unknown};;;0 time={seconds:.3f}s;;;0"
    )


def _long_text(report: Report) -> Iterator[str]:
    yield f"{report.status.name} {_plain(name_of(report))}"
    if report.error is not None:
        yield f"  could not be asked: {_plain(report.error)}"
    for finding in worst_first(report.findings):
        yield from _finding(finding)
    for said in not_checked(report):
        yield f"  not checked: {_plain(said)}"


def _finding(finding: Finding) -> Iterator[str]:
    yield f"  {finding.severity.upper()} {_plain(finding.object)} {_plain(finding.check)}: {_plain(finding.summary)}"
    if cause := cause_of(finding):
        yield f"    cause: {_plain(cause)}"
    if since := since_when(finding):
        yield f"    since: {since}"
    for line in visible_lines(finding.remedy or ""):
        yield f"    next: {_plain(line)}"


def _plain(text: str) -> str:
    """The text on one line without the sign that would begin performance data."""
    return in_one_line(text).replace("|", "\N{BROKEN BAR}")
