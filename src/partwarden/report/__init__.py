"""How reports are shown: one module a format, none of which asks a database or looks at the clock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum

from partwarden.findings import Report
from partwarden.report import json_format, junit, nagios
from partwarden.report.table import print_table

__all__ = ["Format", "print_table", "render"]


class Format(StrEnum):
    """What a report can be written as."""

    TABLE = "table"
    """For people; print_table prints it."""
    JSON = "json"
    """One object, as check-report.schema.json describes it."""
    JSONL = "jsonl"
    """One object a database, each on a line."""
    NAGIOS = "nagios"
    """The output of a monitoring plugin."""
    PROMETHEUS = "prometheus"
    """A file for node_exporter's textfile collector; partwarden.metrics writes it, from more than a report."""
    JUNIT = "junit"
    """A test report for build servers."""


_RENDERERS: dict[Format, Callable[[Sequence[Report]], str]] = {
    Format.JSON: json_format.render,
    Format.JSONL: json_format.render_lines,
    Format.NAGIOS: nagios.render,
    Format.JUNIT: junit.render,
}


def render(reports: Sequence[Report], output_format: Format) -> str:
    """The reports as text that ends with a line end.

    Raises ValueError for a table, which print_table prints, and for metrics, which partwarden.metrics.render writes.
    """
    if output_format not in _RENDERERS:
        raise ValueError("print_table prints a table, partwarden.metrics.render writes metrics")
    return _RENDERERS[output_format](reports)
