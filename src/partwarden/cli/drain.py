"""The commands that move rows out of a default partition."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Annotated

from cyclopts import Parameter

from partwarden.cli.duration import seconds
from partwarden.cli.exits import Exit
from partwarden.cli.grammar import COMMON, Common
from partwarden.cli.locking import LockTimeout, Window
from partwarden.draining import Drain, Method, abandon, look, until
from partwarden.draining import drain as drain_now
from partwarden.errors import TimeIsUp

Parent = Annotated[str, Parameter(help="The partition set: schema.table of its parent.")]


def drain(
    parent: Parent,
    /,
    *,
    interval: Annotated[
        str | None, Parameter(help="The set's interval ('1 day', 10000), where pg_partman does not manage it.")
    ] = None,
    start: Annotated[
        str | None, Parameter(name="--from", help="Only partitions that begin at this time, or id, or later.")
    ] = None,
    end: Annotated[
        str | None, Parameter(name="--to", help="Only partitions that end at this time, or id, or earlier.")
    ] = None,
    method: Annotated[
        Method | None, Parameter(help="How, where the plan should not choose: swap, batch or attach.")
    ] = None,
    max_new_partitions: Annotated[
        int, Parameter(help="Rows that would take more new partitions than this stay, and are named.")
    ] = 200,
    lock_timeout: LockTimeout = "10ms",
    window: Window = "1min",
    jobs: Annotated[int, Parameter(name=["--jobs", "-j"], help="Connections that copy at the same time.")] = 2,
    dry_run: Annotated[bool, Parameter(help="Show what would be done, and by which locks; change nothing.")] = False,
    undo: Annotated[
        bool,
        Parameter(name="--abandon", help="Take back what an interrupted run has left, instead of going on with it."),
    ] = False,
    common: Common = COMMON,
) -> int:
    """Move the rows of a default partition into partitions of their own, while everybody goes on reading and writing.

    Nothing has to be installed. It runs as the owner of the table. Ctrl-C is safe at any moment: no row is lost or twice
    there, and the same command goes on. After --timeout seconds nothing new is begun. With --json events are lines of JSON.
    Exit code: 0 nothing is left that could be moved, 1 rows stay, 3 it could not be done.
    """
    dsn = common.one_database().dsn
    wish = Drain(
        parent=parent,
        interval=interval,
        start=start,
        end=end,
        method=method,
        max_new_partitions=max_new_partitions,
        lock_timeout=seconds("--lock-timeout", lock_timeout),
        window=seconds("--window", window),
        jobs=max(jobs, 1),
    )
    from partwarden.report.drain import JsonLines, Screen, print_plan  # progress bars: no other command needs them

    if dry_run:
        with common.waiting("looking where the rows belong"):
            plan, holders = look(dsn, wish)
        if common.json:
            print_json({"event": "plan", **asdict(plan), "holders": [str(each) for each in holders]})
        print_plan(common.page, plan, holders)
        return Exit.LEFT if plan.staying else Exit.DONE
    if undo:
        done = abandon(dsn, wish, lambda _: None)
        common.out.print("the set is as it was" if done else "nothing of a drain is there; nothing to do")
        if common.json:
            print_json({"event": "abandoned", "was_begun": done})
        return Exit.DONE
    tell = JsonLines() if common.json else Screen(common.page, common.messages)
    try:
        with tell:
            finished = drain_now(dsn, wish, until(common.timeout, tell))
            tell.finish(finished)
    except TimeIsUp as late:
        common.messages.print(f"{late.problem}; {late.remedy}", markup=False)
        return Exit.LEFT
    except KeyboardInterrupt:
        common.messages.print("nothing is lost: the same command goes on, --abandon takes back what was begun")
        raise
    return Exit.LEFT if finished.rows_staying else Exit.DONE


def print_json(what: dict[str, object]) -> None:
    """One line of JSON on standard output."""
    sys.stdout.write(json.dumps(what, default=str) + "\n")
