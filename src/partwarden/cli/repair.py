"""The command that mends what is wrong with partition sets."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from partwarden.cli.confirm import confirm
from partwarden.cli.duration import seconds
from partwarden.cli.exits import Exit
from partwarden.cli.grammar import COMMON, Common
from partwarden.cli.locking import LockTimeout, Window
from partwarden.draining import until
from partwarden.repair import Outcome, Repair, Treatment, diagnose
from partwarden.repair import repair as repair_now
from partwarden.report.text import in_one_line


def repair(
    parent: Annotated[
        str | None,
        Parameter(help="The partition set: schema.table; without it, every set that something is wrong with."),
    ] = None,
    /,
    *,
    lock_timeout: LockTimeout = "10ms",
    window: Window = "1min",
    dry_run: Annotated[bool, Parameter(help="Show what is wrong and what would be done; change nothing.")] = False,
    yes: Annotated[bool, Parameter(name=["--yes", "-y"], help="Do it without asking.")] = False,
    common: Common = COMMON,
) -> int:
    """Find out what is wrong with partition sets, show what would be done, do it, and look again.

    Puts rows back that an interrupted partition_data_async() has left, clears a stale undo_in_progress, drains the default
    partition, fills gaps, and has pg_partman maintain the set. After --timeout seconds nothing new is begun. With --json
    events are lines of JSON, and nobody is asked: say --yes or --dry-run. Exit code: 0 all is well now, 1 something is left,
    3 it could not be done.
    """
    from partwarden.report.drain import JsonLines, Screen  # progress bars: no other command needs them

    dsn = common.one_database().dsn
    tell = JsonLines() if common.json else Screen(common.messages, common.messages)
    wish = Repair(
        parent,
        seconds("--lock-timeout", lock_timeout),
        seconds("--window", window),
        tell=until(common.timeout, tell),
    )
    with common.waiting("looking what is wrong"):
        treatments = diagnose(dsn, wish)
    _show_treatments(common.page, treatments, as_json=common.json)
    if not treatments:
        return Exit.DONE
    if dry_run or not confirm(common.messages, "do it?", yes=yes, quiet=common.json):
        return Exit.LEFT
    with tell:
        outcomes = repair_now(dsn, treatments, wish)
    _show_outcomes(common.page, outcomes, as_json=common.json)
    return Exit.LEFT if any(each.left or each.problem for each in outcomes) else Exit.DONE


def _show_treatments(out: Console, treatments: list[Treatment], *, as_json: bool) -> None:
    if as_json:
        for each in treatments:
            _write("treatment", set=each.name, steps=each.steps, findings=[asdict(found) for found in each.findings])
        return
    if not treatments:
        out.print("nothing is wrong that a repair would mend")
    for each in treatments:
        out.print(f"[bold]{in_one_line(each.name)}[/]")
        for found in each.findings:
            out.print(f"  {found.severity}: {in_one_line(found.summary)}", style="yellow", markup=False)
        for number, step in enumerate(each.steps, 1):
            out.print(f"  {number}. {in_one_line(step)}", markup=False)
        out.print()


def _show_outcomes(out: Console, outcomes: list[Outcome], *, as_json: bool) -> None:
    for each in outcomes:
        if as_json:
            _write(
                "outcome",
                set=each.name,
                done=each.done,
                left=[asdict(found) for found in each.left],
                problem=None if each.problem is None else each.problem.problem,
                remedy=None if each.problem is None else each.problem.remedy,
            )
            continue
        out.print(f"[bold]{in_one_line(each.name)}[/] {in_one_line('; '.join(each.done) or 'nothing was done')}")
        if each.problem is not None:
            out.print(f"  [bold red]error:[/] {in_one_line(each.problem.problem)}")
            if each.problem.remedy:
                out.print(f"  next:  {in_one_line(each.problem.remedy)}", markup=False)
        for found in each.left:
            out.print(f"  {found.severity}: {in_one_line(found.summary)}", style="yellow", markup=False)
        if not each.left and each.problem is None:
            out.print("  all is well", style="green")


def _write(event: str, **facts: object) -> None:
    sys.stdout.write(json.dumps({"event": event, **facts}, default=str) + "\n")
