"""What a drain is going to do, does, and has done: for people, or as lines of JSON."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from partwarden.draining import Event, Finished, Plan, Planned, Step, Waiting
from partwarden.draining import Progress as Done
from partwarden.draining.locks import Holder
from partwarden.report.amounts import size
from partwarden.report.text import in_one_line

_MANY = 40
"""So many partitions are listed; of more, the first and the last."""


def print_plan(out: Console, plan: Plan, holders: list[Holder]) -> None:
    """The plan as a person reads it before deciding."""
    if not plan.intervals:
        out.print(f"nothing to move out of {plan.default.name}", markup=False)
        _print_staying(out, plan)
        return
    _print_intervals(out, plan)
    _print_staying(out, plan)
    facts = Table(box=None, show_header=False, pad_edge=False)
    facts.add_column(style="dim")
    facts.add_column(overflow="fold")
    facts.add_row("rows", f"{plan.rows:,} ({size(plan.bytes_to_move)}) into {len(plan.intervals):,} new partitions")
    facts.add_row("method", f"{plan.method}: {plan.because}")
    facts.add_row("lock", f"{plan.parent} is locked against readers for about {plan.lock_ms:,.0f} ms at a time")
    facts.add_row("disk", f"about {size(plan.disk_bytes)} more until it is done")
    for number, holder in enumerate(holders):
        facts.add_row("" if number else "now", in_one_line(str(holder)))
    if not holders:
        facts.add_row("now", f"nobody holds a lock on {plan.parent}")
    out.print(facts)


def _print_intervals(out: Console, plan: Plan) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("new partition", "from", "to"):
        table.add_column(heading, overflow="fold")
    table.add_column("rows", justify="right")
    table.add_column("about", justify="right")
    a_row = plan.bytes_to_move / max(plan.rows, 1)
    shown = plan.intervals
    if len(shown) > _MANY:
        shown = (*shown[: _MANY // 2], *shown[-_MANY // 2 :])
    for index, each in enumerate(shown):
        if len(plan.intervals) > _MANY and index == _MANY // 2:
            table.add_row(f"… {len(plan.intervals) - len(shown):,} more", "", "", "", "")
        table.add_row(
            in_one_line(each.child), each.lower_bound, each.upper_bound, f"{each.rows:,}", size(a_row * each.rows)
        )
    out.print(table)
    out.print()


def _print_staying(out: Console, plan: Plan) -> None:
    for each in plan.staying:
        where = "" if each.lowest is None else f" from {each.lowest} to {each.highest}"
        if each.lowest == each.highest and each.lowest is not None:
            where = f" at {each.lowest}"
        out.print(f"{_stay(each.rows)}{where}: {each.why}", style="yellow", markup=False)
    if any("partitions" in each.why for each in plan.staying):
        out.print("  more: --max-new-partitions; a row that is wrong has to be corrected or removed first", style="dim")
    if plan.staying:
        out.print()


class JsonLines:
    """Every event as a line of JSON on standard output."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        pass

    def __call__(self, event: Event) -> None:
        """Write one event."""
        match event:
            case Planned(plan, resumed):
                self._write("plan", resumed=resumed, **asdict(plan))
            case Finished():
                self.finish(event)
            case _:
                self._write(type(event).__name__.lower(), **asdict(event))

    def finish(self, finished: Finished) -> None:
        """Write the end."""
        self._write("finished", **asdict(finished))

    def _write(self, event: str, /, **facts: object) -> None:
        at = round(time.time(), 3)
        sys.stdout.write(json.dumps({"event": event, "at": at, **facts}, default=str) + "\n")
        sys.stdout.flush()


class Screen:
    """What was done goes to ``out``; to ``messages`` a line for each step, with a bar where there is something to count."""

    def __init__(self, out: Console, messages: Console) -> None:
        self._out = out
        self._messages = messages
        self._emptied = ""
        self._bar = Progress(
            TextColumn("  {task.description:<28}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[count]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(compact=True),
            console=messages,
        )
        self._task: TaskID | None = None
        self._begun = 0.0

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._bar.stop()

    def __call__(self, event: Event) -> None:
        """Show one event."""
        match event:
            case Planned(plan, resumed):
                begin = "going on with" if resumed else "draining"
                self._emptied = plan.default.name
                self._messages.print(f"{begin} {plan.default.name}: {_told(plan)}", markup=False)
                _print_staying(self._messages, plan)
            case Step(name):
                self._begin(name)
            case Done(step, rows, of):
                self._advance(step, rows, of)
            case Waiting(what, who):
                self._messages.print(f"  waiting for {what}: {in_one_line(who)}", style="yellow", markup=False)
            case Finished():
                self.finish(event)

    def finish(self, finished: Finished) -> None:
        """Show the end."""
        self._complete()
        self._bar.stop()
        rate = finished.rows_moved / finished.seconds if finished.seconds else 0
        if not finished.partitions_made:
            self._out.print(
                f"nothing to move out of {self._emptied}" if self._emptied else "nothing to move", markup=False
            )
            return
        locked = f", at most {finished.locked_ms:.0f} ms under the lock"
        self._out.print(
            f"{finished.rows_moved:,} rows moved into {finished.partitions_made:,} new partitions in "
            f"{finished.seconds:.1f} s ({rate:,.0f} rows/s){locked}",
            markup=False,
        )
        if finished.rows_staying:
            self._out.print(f"{_stay(finished.rows_staying)} in the default partition", style="yellow")

    def _begin(self, name: str) -> None:
        self._complete()
        self._begun = time.monotonic()
        self._task = self._bar.add_task(name, total=None, count="")

    def _complete(self) -> None:
        if self._task is not None:
            task = self._bar.tasks[self._bar.task_ids.index(self._task)]
            total = task.total or task.completed or 1
            self._bar.update(self._task, total=total, completed=total)

    def _advance(self, step: str, done: int, total: int) -> None:
        if self._task is None:
            self._begin(step)
        elapsed = time.monotonic() - self._begun
        rate = f", {done / elapsed:,.0f}/s" if elapsed > 0.2 else ""
        if self._task is not None:
            self._bar.update(self._task, completed=done, total=total, count=f"{done:,} of {total:,}{rate}")


def _told(plan: Plan) -> str:
    if not plan.rows and plan.because == "it had been begun":
        return f"{len(plan.intervals):,} new partitions, by {plan.method}"
    if not plan.intervals:
        return "nothing to move"
    return (
        f"{plan.rows:,} rows ({size(plan.bytes_to_move)}) into {len(plan.intervals):,} new partitions, by {plan.method}: "
        f"{plan.because}"
    )


def _stay(rows: int) -> str:
    return "1 row stays" if rows == 1 else f"{rows:,} rows stay"
