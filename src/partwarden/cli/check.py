"""The command that looks at databases."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from partwarden import health
from partwarden.errors import BadOption
from partwarden.findings import worst
from partwarden.given import DEFAULT_THRESHOLDS
from partwarden.health import Question, Target
from partwarden.report import Format, print_table, render

_SEVERITIES = ("warning", "critical")


def check(
    *dsns: Annotated[
        str,
        Parameter(
            help="Which databases: postgresql://user@host/database, 'host=… dbname=…', 'service=…', env:VARIABLE, "
            "iam:USER@HOST/DATABASE, aws-secret:NAME; none: PG* variables."
        ),
    ],
    config: Annotated[Path | None, Parameter(name=["--config", "-c"], help="The databases of this file.")] = None,
    output: Annotated[Format, Parameter(name="--format", help="How the answer is written.")] = Format.TABLE,
    only: Annotated[
        tuple[str, ...],
        Parameter(help="Do these checks only; several: repeat, or with commas.", negative=(), show_default=False),
    ] = (),
    skip: Annotated[tuple[str, ...], Parameter(help="Leave these checks out.", negative=(), show_default=False)] = (),
    severity: Annotated[
        tuple[str, ...],
        Parameter(help="Take a check more or less seriously: gap=critical.", negative=(), show_default=False),
    ] = (),
    headroom: Annotated[
        int | None, Parameter(help="How many partitions have to lie ahead; default: half of premake.")
    ] = None,
    require_default: Annotated[
        bool, Parameter(help="Every set must have a default partition.", show_default=False)
    ] = False,
    count_rows: Annotated[
        bool, Parameter(help="Count rows in default partitions exactly, reading all of them.", show_default=False)
    ] = False,
    threshold: Annotated[
        tuple[str, ...],
        Parameter(help="Any threshold: stuck_after='30 minutes'; see docs/check.md.", negative=(), show_default=False),
    ] = (),
    timeout: Annotated[float, Parameter(help="Seconds that one database may take.")] = 60,
    watch: Annotated[float | None, Parameter(help="Look again every so many seconds, until interrupted.")] = None,
) -> int:
    """Look whether all is well with the partitions of one or several databases, with nothing installed there.

    Nothing is written, and no lock is taken that a reader would not take. Exit code: 0 ok, 1 warning, 2 critical,
    3 unknown: a database could not be reached or took too long, or the command was wrong. What could not be looked at
    is said as "not checked", with what would help.
    """
    question = Question(
        only=frozenset(_split(only)),
        skip=frozenset(_split(skip)),
        severities=_severities(severity),
        thresholds=_thresholds(threshold, headroom, require_default=require_default, count_rows=count_rows),
        timeout=timeout,
    )
    targets = [Target(dsn) for dsn in dsns]
    if config is not None:
        from partwarden.config import read_config  # takes as long to import as a small database takes to check

        targets += [Target(database.conninfo, database.name) for database in read_config(config).databases]
    if watch is None:
        return _look(targets or [Target("")], question, output)
    status = 0
    try:
        while True:
            if output is Format.TABLE:
                _begin_round()
            status = _look(targets or [Target("")], question, output)
            sys.stdout.flush()
            time.sleep(watch)
    except KeyboardInterrupt:
        return status


def _look(targets: list[Target], question: Question, output: Format) -> int:
    reports = health.check_databases(targets, question)
    if output is Format.TABLE:
        print_table(Console(), reports)
    else:
        sys.stdout.write(render(reports, output))
    return int(worst(reports))


def _begin_round() -> None:
    out = Console(highlight=False)
    if out.is_terminal:
        out.clear()
    out.print(datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC"), style="dim")


def _split(listed: tuple[str, ...]) -> list[str]:
    return [name.strip() for each in listed for name in each.split(",") if name.strip()]


def _severities(given: tuple[str, ...]) -> dict[str, str]:
    severities = {}
    for each in _split(given):
        name, _, wanted = each.partition("=")
        if wanted not in _SEVERITIES:
            raise BadOption(f"--severity {each}: this is not CHECK=warning or CHECK=critical")
        severities[name] = wanted
    return severities


def _thresholds(
    given: tuple[str, ...], headroom: int | None, *, require_default: bool, count_rows: bool
) -> dict[str, str | int | bool]:
    thresholds: dict[str, str | int | bool] = {}
    for each in given:
        name, separator, value = each.partition("=")
        if not separator or name not in DEFAULT_THRESHOLDS:
            raise BadOption(
                f"--threshold {each}: there is no such threshold",
                remedy=f"NAME=VALUE, where NAME is one of {', '.join(DEFAULT_THRESHOLDS)}",
            )
        thresholds[name] = value
    if headroom is not None:
        thresholds["headroom"] = headroom
    if require_default:
        thresholds["require_default"] = True
    if count_rows:
        thresholds["count_rows"] = True
    return thresholds
