"""What a conversion is going to do, does, and has done, as a person reads it; and the same for programs."""

from __future__ import annotations

from dataclasses import asdict
from itertools import groupby
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.text import Text

from partwarden.converting import Conversion, Converted, Event, Form, Phase, Planned, Step
from partwarden.draining import Progress, Waiting
from partwarden.draining import Step as Began
from partwarden.report.amounts import size
from partwarden.report.live import Live
from partwarden.report.text import in_one_line

_PHASES = {
    Phase.PREPARE: "before: it is the table that it was; partwarden convert --undo takes this back",
    Phase.EXCHANGE: "the exchange: one transaction",
    Phase.AFTERWARDS: "afterwards: while everybody works with the partition set",
}


_NOTHING = "it is a partition set already; nothing to do"


def print_conversion(out: Console, conversion: Conversion | None, *, statements: bool) -> None:
    """What would become of the table, what will be different, what is in the way; with every statement and its lock."""
    if conversion is None:
        out.print(_NOTHING)
        return
    for name, told in _facts(conversion):
        out.print(Text.assemble((f"{name:<9}", "dim"), in_one_line(told)))
    for warning in conversion.warnings:
        out.print(Text(f"! {in_one_line(warning)}", style="yellow"))
    for obstacle in conversion.obstacles:
        out.print(Text(f"it can't be converted: {in_one_line(obstacle.problem)}", style="bold red"))
        out.print(Text(f"  next: {in_one_line(obstacle.remedy)}"))
    if statements:
        for phase, steps in groupby(conversion.steps, key=lambda step: step.phase):
            out.print(Text(f"\n-- {_PHASES[phase]}", style="bold"))
            for step in steps:
                _print_step(out, step)


def _facts(conversion: Conversion) -> list[tuple[str, str]]:
    is_first = conversion.form is Form.FIRST
    what = f"the {'first' if is_first else 'default'} partition of a set that bears its name"
    ahead = "1 partition" if conversion.partitions == 1 else f"{conversion.partitions:,} partitions"
    rows = "" if conversion.rows is None else f"about {conversion.rows:,} rows, "
    told = [
        ("table", f"{conversion.table}, {rows}{size(conversion.bytes)}"),
        ("becomes", f"{conversion.partition}, {what}, by {conversion.control}, {conversion.interval}"),
        ("because", conversion.because),
    ]
    if is_first:
        told.append(("bounds", f"from {conversion.lower_bound} to {conversion.upper_bound}"))
    told.append(("ahead", f"{ahead} from {conversion.upper_bound}"))
    if conversion.steps:
        told.append(
            ("lock", f"nobody can read or write {conversion.table} for about {conversion.lock_ms:.0f} ms, once")
        )
        told.append(("then", conversion.next))
    return told


def _print_step(out: Console, step: Step) -> None:
    cost = "instant" if step.reads is None else f"reads {size(step.reads)}, and keeps nobody from reading or writing"
    out.print(Text(f"-- {step.name}: {cost}", style="cyan"))
    for statement in step.all_statements:
        lock = "" if statement.lock is None else f"  -- {statement.lock}: {in_one_line(statement.object or '')}"
        out.print(Text.assemble(f"{in_one_line(statement.text)};", (lock, "dim")))


class Telling(Live):
    """A line for each step that is done, and one below for what is being done at the moment."""

    def __init__(self, messages: Console) -> None:
        super().__init__(messages)
        self._name: str | None = None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._end()
        super().__exit__(kind, error, trace)

    def __call__(self, event: Event) -> None:
        """Show one event."""
        match event:
            case Planned():
                pass  # it has been shown before it was asked for
            case Began(name):
                if name != self._name:
                    self._end()
                    self._name = name
                self.show(in_one_line(name))
            case Progress(step, done, total):
                if total:
                    self.show(f"{in_one_line(step)}: {done / total:.0%}")
            case Waiting(what, who):
                self.out.print(Text(f"  waiting for {what}: {in_one_line(who)}", style="yellow"))

    def _end(self) -> None:
        if self._name is not None:
            self.out.print(Text.assemble(("  done  ", "green"), in_one_line(self._name)))
            self._name = None


def print_converted(out: Console, converted: Converted | None) -> None:
    """What has been done, and what to do next."""
    if converted is None:
        out.print(_NOTHING)
        return
    if converted.form is None:
        out.print(Text(f"{converted.table} is a partition set; what an interrupted run had left is done"))
        return
    out.print(
        Text(
            in_one_line(
                f"{converted.table} is a partition set: the table is its {converted.form} partition "
                f"{converted.partition}. Nobody could read or write for {converted.locked_ms:.0f} ms"
            )
        )
    )
    out.print(Text(in_one_line(f"next: {converted.next}")))


def conversion_document(table: str, conversion: Conversion | None) -> dict[str, Any]:
    """What would be done, for programs; no steps where the table is a partition set already."""
    if conversion is None:
        return {"table": table, "possible": True, "steps": []}
    return {
        **asdict(conversion),
        "possible": not conversion.obstacles,
        "lock_ms": round(conversion.lock_ms),
        "steps": [
            {
                "phase": step.phase,
                "name": step.name,
                "reads_bytes": step.reads,
                "statements": [asdict(statement) for statement in step.all_statements],
            }
            for step in conversion.steps
        ],
    }


def converted_document(table: str, converted: Converted | None) -> dict[str, Any]:
    """What has been done, for programs."""
    return {"table": table, "converted": converted is not None, **({} if converted is None else asdict(converted))}
