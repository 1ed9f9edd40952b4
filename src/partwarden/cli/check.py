"""The command that looks at databases."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter
from rich.console import Console

from partwarden import health
from partwarden.cli import completion
from partwarden.cli.grammar import COMMON, Common
from partwarden.cli.whole_file import write_whole
from partwarden.errors import BadOption
from partwarden.findings import Report, worst
from partwarden.given import DEFAULT_THRESHOLDS
from partwarden.health import Question, Target
from partwarden.nearest import nearest
from partwarden.report import Format, print_table, render

_SECONDS = 60
"""How long one database may take, unless --timeout says it."""

_SEVERITIES = ("warning", "critical")


def check(
    *databases: Annotated[
        str,
        Parameter(
            name="DATABASE",
            completer=completion.databases,
            help="Which databases: a name in the file, postgresql://user@host/database, 'host=… dbname=…', 'service=…', "
            "env:VARIABLE, iam:USER@HOST/DATABASE, aws-secret:NAME; none: all of the file, else PG* variables.",
        ),
    ],
    form: Annotated[
        Format | None,
        Parameter(name="--format", help="How the answer is written. [at first: table]", show_default=False),
    ] = None,
    only: Annotated[
        tuple[str, ...],
        Parameter(
            help="Do these checks only; several: repeat, or with commas.",
            completer=completion.checks,
            show_default=False,
        ),
    ] = (),
    skip: Annotated[
        tuple[str, ...], Parameter(help="Leave these checks out.", completer=completion.checks, show_default=False)
    ] = (),
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
    watch: Annotated[float | None, Parameter(help="Look again every so many seconds, until interrupted.")] = None,
    output: Annotated[
        Path | None,
        Parameter(
            name=["--output", "-o"],
            metavar="FILE",
            help="Write the answer to this file, which is replaced at once; for formats for programs.",
        ),
    ] = None,
    metrics_per: Annotated[
        Literal["database", "set", "partition"] | None,
        Parameter(
            help="How far into a database the series of --format prometheus go. [at first: set]", show_default=False
        ),
    ] = None,
    common: Common = COMMON,
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
        timeout=common.timeout or _SECONDS,
    )
    asked_for = _format(form, common)
    if metrics_per is not None and asked_for is not Format.PROMETHEUS:
        raise BadOption(
            "--metrics-per goes with --format prometheus only", remedy="--format prometheus, or leave it out"
        )
    if output is not None and asked_for is Format.TABLE:
        raise BadOption(
            "a table is for a screen, and is not written to a file",
            remedy="--format json, or > FILE instead of --output FILE",
        )
    targets = [Target(each.dsn, each.name, each.thresholds) for each in common.databases(*databases)]
    look = partial(_look, targets, question, asked_for, output, metrics_per or "set", common)
    if watch is None:
        return look()
    status = 0
    try:
        while True:
            if not common.json and form in (None, Format.TABLE):
                _begin_round(common.out)
            status = look()
            sys.stdout.flush()
            time.sleep(watch)
    except KeyboardInterrupt:
        return status


def _format(form: Format | None, common: Common) -> Format:
    if not common.json:
        return form or Format.TABLE
    if form not in (None, Format.JSON, Format.JSONL):
        raise BadOption(f"--json and --format {form.value} are two answers", remedy="leave one of them out")
    return form or Format.JSON


def _look(
    targets: list[Target], question: Question, form: Format, output: Path | None, metrics_per: str, common: Common
) -> int:
    with common.waiting(f"looking at {len(targets)} databases" if len(targets) > 1 else "looking"):
        reports, text = (
            _measure(targets, question, metrics_per) if form is Format.PROMETHEUS else _report(targets, question, form)
        )
    if text is None:
        print_table(common.page, reports)
    elif output is None:
        sys.stdout.write(text)
    else:
        _write(output, text)
    return int(worst(reports))


def _write(output: Path, text: str) -> None:
    try:
        write_whole(output, text)
    except OSError as failure:
        raise BadOption(
            f"could not write {output}: {failure.strerror}",
            remedy="--output with a file in a folder that is there and may be written to",
        ) from None


def _report(targets: list[Target], question: Question, form: Format) -> tuple[list[Report], str | None]:
    reports = health.check_databases(targets, question)
    return reports, None if form is Format.TABLE else render(reports, form)


def _measure(targets: list[Target], question: Question, per: str) -> tuple[list[Report], str]:
    from partwarden import metrics  # looks closer than the other formats, and takes longer to import
    from partwarden.survey import survey_databases

    surveys = survey_databases(targets, question)
    return [each.report for each in surveys], metrics.render(surveys, per=metrics.Per[per.upper()])


def _begin_round(out: Console) -> None:
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
            raise BadOption(
                f"--severity {each}: this is no severity",
                remedy="--severity CHECK=warning, or --severity CHECK=critical",
            )
        severities[name] = wanted
    return severities


def _thresholds(
    given: tuple[str, ...], headroom: int | None, *, require_default: bool, count_rows: bool
) -> dict[str, str | int | bool]:
    thresholds: dict[str, str | int | bool] = {}
    for each in given:
        name, separator, value = each.partition("=")
        if not separator or name not in DEFAULT_THRESHOLDS:
            near = nearest(name, DEFAULT_THRESHOLDS)
            raise BadOption(
                f"--threshold {each}: {'there is no such threshold' if separator else 'it has no value'}",
                remedy=f"did you mean {near}?"
                if near and near != name
                else f"NAME=VALUE, where NAME is one of {', '.join(DEFAULT_THRESHOLDS)}",
            )
        thresholds[name] = value
    if headroom is not None:
        thresholds["headroom"] = headroom
    if require_default:
        thresholds["require_default"] = True
    if count_rows:
        thresholds["count_rows"] = True
    return thresholds
