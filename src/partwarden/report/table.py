"""For people: each database with its findings, worst first, what to do about each, and a last line that sums up."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.text import Text

from partwarden.findings import Finding, Report, worst
from partwarden.report.summary import cause_of, database_of, not_checked, since_when, sum_up, versions_of, worst_first
from partwarden.report.text import in_one_line, visible, visible_lines

COLOURS = {"ok": "green", "warning": "yellow", "critical": "bold red", "unknown": "bold magenta"}
_WIDEST_PROSE = 100
_NARROWEST_PROSE = 20
_NO_BREAK = "\N{NO-BREAK SPACE}"


def print_table(console: Console, reports: Sequence[Report]) -> None:
    """Print the reports to ``console``, which decides about width and colours.

    Prose is wrapped; remedies are not, so that they can be pasted. Nothing of the data is taken for markup,
    and what cannot be printed is escaped.
    """
    before: Report | None = None
    for report in reports:
        if before is not None and (_has_more_than_a_heading(before) or _has_more_than_a_heading(report)):
            console.print()
        _print_report(console, report)
        before = report
    if reports:
        console.print()
    _print_last_line(console, reports)


def _has_more_than_a_heading(report: Report) -> bool:
    return bool(report.findings or report.skipped or report.error is not None)


def _print_report(console: Console, report: Report) -> None:
    _print_heading(console, report)
    if report.error is not None:
        _print_beside(console, Text("  could not be asked  "), visible_lines(report.error))
    for finding in worst_first(report.findings):
        console.print()
        _print_finding(console, finding)
    if report.findings and report.skipped:
        console.print()
    for said in not_checked(report):
        _print_beside(console, Text("  not checked  ", style="dim"), visible_lines(said))


def _print_heading(console: Console, report: Report) -> None:
    lead = Text.assemble(_status(report.status.word), "  ")
    together = [visible(fact).replace(" ", _NO_BREAK) for fact in (*versions_of(report), f"{report.duration_ms} ms")]
    facts = (visible(database_of(report)), visible(report.target), ", ".join(together))
    width = max(console.width - lead.cell_len, _NARROWEST_PROSE)
    for row in textwrap.wrap("  ".join(fact for fact in facts if fact), width, break_on_hyphens=False):
        _print_as_it_is(console, Text.assemble(lead, row.replace(_NO_BREAK, " ")))
        lead = Text(" " * lead.cell_len)


def _print_finding(console: Console, finding: Finding) -> None:
    _print_as_it_is(
        console,
        Text.assemble(
            "  ", _status(finding.severity), "  ", (visible(finding.object), "bold"), "  ", visible(finding.check)
        ),
    )
    _print_beside(console, Text("    what   ", style="dim"), [in_one_line(finding.summary)])
    if since := since_when(finding):
        _print_beside(console, Text("    since  ", style="dim"), [since])
    _print_beside(console, Text("    cause  ", style="dim"), visible_lines(cause_of(finding)))
    if finding.remedy:
        console.print(Text("    next", style="dim"))
        for line in visible_lines(finding.remedy):
            _print_as_it_is(console, Text(f"      {line}"))


def _print_last_line(console: Console, reports: Sequence[Report]) -> None:
    status = worst(reports).word
    prefix = "" if any(report.findings for report in reports) else f"{status}: "
    _print_as_it_is(console, Text(f"{prefix}{sum_up(reports)}", style=COLOURS[status]))


def _print_beside(console: Console, lead: Text, lines: Iterable[str]) -> None:
    """Print ``lead``, and the lines beside it, wrapped; nothing when there are none."""
    width = max(min(console.width, _WIDEST_PROSE) - lead.cell_len, _NARROWEST_PROSE)
    for line in lines:
        for row in Text(line).wrap(console, width):
            row.rstrip()
            _print_as_it_is(console, Text.assemble(lead, row))
            lead = Text(" " * lead.cell_len)


def _print_as_it_is(console: Console, line: Text) -> None:
    console.print(line, soft_wrap=True)


def _status(word: str) -> Text:
    return Text(f"{word.upper():8}", style=COLOURS[word])
