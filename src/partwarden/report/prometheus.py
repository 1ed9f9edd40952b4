"""For Prometheus: the text format that node_exporter's textfile collector reads.

https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format. No label names an object of a
database, so that the number of series stays small.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from partwarden.findings import Finding, Report
from partwarden.report.summary import database_of
from partwarden.report.text import visible

Labels = dict[str, str]
Sample = tuple[Labels, float]


@dataclass(frozen=True)
class _Metric:
    """A gauge and its samples."""

    name: str
    help: str
    samples: list[Sample]

    def lines(self) -> Iterator[str]:
        yield f"# HELP {self.name} {self.help}"
        yield f"# TYPE {self.name} gauge"
        for labels, value in self.samples:
            pairs = ",".join(f'{name}="{_escaped(text)}"' for name, text in labels.items())
            yield f"{self.name}{{{pairs}}} {value!r}"


def render(reports: Sequence[Report]) -> str:
    """The metrics that have samples; a database that was asked twice counts once, as it was worst."""
    lines = (line for metric in _metrics(_one_each(reports)) if metric.samples for line in metric.lines())
    return "".join(f"{line}\n" for line in lines)


def _one_each(reports: Iterable[Report]) -> list[Report]:
    """No two with the same labels: the collector would refuse the whole file."""
    kept: dict[tuple[str, str], Report] = {}
    for report in reports:
        key = (visible(report.target), visible(database_of(report)))
        if key not in kept or report.status.badness > kept[key].status.badness:
            kept[key] = report
    return list(kept.values())


def _metrics(reports: Sequence[Report]) -> list[_Metric]:
    asked = [report for report in reports if report.error is None]
    return [
        _Metric(
            "partwarden_up",
            "Whether the database could be asked (1) or not (0).",
            [(_labels(report), int(report.error is None)) for report in reports],
        ),
        _Metric(
            "partwarden_check_status",
            "How the database is: 0 ok, 1 warning, 2 critical, 3 unknown.",
            [(_labels(report), int(report.status)) for report in reports],
        ),
        _Metric(
            "partwarden_findings",
            "Things that are wrong now; no series where nothing is.",
            [(labels, len(findings)) for labels, findings in _groups(asked)],
        ),
        _Metric(
            "partwarden_oldest_finding_timestamp_seconds",
            "Since when the oldest finding lasts, where that can be known.",
            list(_oldest(asked)),
        ),
        _Metric(
            "partwarden_skipped_checks",
            "Checks that were not done, or not for everything.",
            [(_labels(report), len({skip.check for skip in report.skipped})) for report in asked],
        ),
        _Metric(
            "partwarden_check_duration_seconds",
            "How long the checks took.",
            [(_labels(report), report.duration_ms / 1000) for report in reports],
        ),
        _Metric(
            "partwarden_server_info",
            "Versions of the server and its extensions, empty where there is none; always 1.",
            [(_labels(report) | _versions(report), 1) for report in asked],
        ),
    ]


def _groups(reports: Iterable[Report]) -> Iterator[tuple[Labels, list[Finding]]]:
    """The findings of each database by check and severity."""
    for report in reports:
        groups: dict[tuple[str, str], list[Finding]] = defaultdict(list)
        for finding in report.findings:
            groups[finding.check, finding.severity].append(finding)
        for (check, severity), findings in sorted(groups.items()):
            yield _labels(report) | {"check": check, "severity": severity}, findings


def _oldest(reports: Iterable[Report]) -> Iterator[Sample]:
    for labels, findings in _groups(reports):
        times = [finding.since.timestamp() for finding in findings if finding.since is not None]
        if times:
            yield labels, min(times)


def _labels(report: Report) -> Labels:
    return {"target": report.target, "database": database_of(report)}


def _versions(report: Report) -> Labels:
    return {name: report.server.get(name, "") for name in ("postgresql", "pg_partman", "pg_cron")}


def _escaped(text: str) -> str:
    """A label's value; a line end has become visible before and needs no escape of its own."""
    return visible(text).replace("\\", "\\\\").replace('"', '\\"')
