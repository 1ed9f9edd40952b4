"""A plan, and what became of it, as a person reads them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from partwarden.planning import Action, Applied, Change, Danger, DatabasePlan, Kind, Plan, Step
from partwarden.report.live import Live
from partwarden.report.text import in_one_line

_SIGNS = {Action.ADD: ("+", "green"), Action.CHANGE: ("~", "yellow"), Action.REMOVE: ("-", "red")}
_DANGERS = {Danger.DESTRUCTIVE: "bold red", Danger.SLOW: "yellow", Danger.LOCKING: "yellow", Danger.DIFFERENT: "yellow"}


class Doing(Live):
    """Tells of steps as they are done."""

    def begins(self, database: str, step: Step) -> None:
        """The step is being done now."""
        self.show(f"{in_one_line(database)}: {in_one_line(_title(step))}")

    def ends(self, database: str, step: Step) -> None:
        """It is done."""
        sign, style = _SIGNS[step.action]
        self.out.print(Text.assemble((f"{sign} ", style), f"{in_one_line(database)}: {in_one_line(_title(step))}"))


def print_plan(out: Console, plan: Plan, *, verbose: bool) -> None:
    """Database by database, step by step; with statements where there is something to be warned of, or ``verbose``."""
    for database in plan.databases:
        _print_database(out, database, verbose=verbose)
    count = sum(1 for _ in plan.steps)
    destroying = sum(step.destroys for step in plan.steps)
    if not plan.is_possible:
        out.print("not everything can be as the file says: see above", style="bold red")
    elif count == 0:
        out.print("everything is as the file says", style="green")
    else:
        more = f", {_counted(destroying, 'of them destroys', 'of them destroy')} something" if destroying else ""
        out.print(f"{_counted(count, 'change', 'changes')}{more}", style="bold")


def print_script(out: Console, plan: Plan) -> None:
    """All statements as a script for psql, which begins in the database itself, and goes where pg_cron lives for the jobs."""
    for database in plan.databases:
        here = home = database.server.get("database")
        for step in database.steps:
            out.print(f"-- {database.name}: {in_one_line(_title(step))}", markup=False)
            if (command := _command(step, database.name)) is not None:
                out.print(f"-- {command}\n", markup=False)
                continue
            where = step.cron_database or home
            if where is not None and where != here:
                out.print(f"\\connect {_for_psql(where)}", markup=False)
                here = where
            out.print("begin;", "set local lock_timeout = '5s';", *step.statements, "commit;", sep="\n", markup=False)
            out.print()


def print_applied(out: Console, results: Sequence[Applied]) -> None:
    """What became of each database: a table, and what to do next about those that failed."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("database", "changes", "outcome"):
        table.add_column(heading, overflow="fold")
    for each in results:
        if each.error is None:
            outcome = Text("as the file says", style="green")
        else:
            outcome = Text(in_one_line(each.error.problem), style="red")
        table.add_row(Text(each.name), str(len(each.done)), outcome)
    out.print(table)
    for each in results:
        if each.error is None:
            continue
        if each.not_done:
            objects = ", ".join(in_one_line(step.object) for step in each.not_done[:5])
            more = f" and {len(each.not_done) - 5} more" if len(each.not_done) > 5 else ""
            out.print(f"{each.name}: not done: {objects}{more}", markup=False)
        if each.error.remedy:
            out.print(f"{each.name}: next: {in_one_line(each.error.remedy)}", markup=False)


def plan_document(plan: Plan) -> dict[str, Any]:
    """The plan for programs."""
    return {
        "changes": sum(1 for _ in plan.steps),
        "possible": plan.is_possible,
        "databases": [
            {
                **asdict(database),
                "steps": [
                    {name: value for name, value in asdict(step).items() if name not in ("parent", "wish")}
                    | {"destroys": step.destroys}
                    for step in database.steps
                ],
            }
            for database in plan.databases
        ],
    }


def applied_document(results: Sequence[Applied]) -> dict[str, Any]:
    """What became of it, for programs."""
    return {
        "complete": all(each.is_complete for each in results),
        "databases": [
            {
                "name": each.name,
                "done": [_title(step) for step in each.done],
                "failed": None if each.failed is None else _title(each.failed),
                "not_done": [_title(step) for step in each.not_done],
                "error": None if each.error is None else each.error.problem,
                "remedy": None if each.error is None else each.error.remedy,
            }
            for each in results
        ],
    }


def _print_database(out: Console, database: DatabasePlan, *, verbose: bool) -> None:
    described = ", ".join(
        f"{'PostgreSQL' if name == 'postgresql' else name} {version}"
        for name, version in database.server.items()
        if name != "database"
    )
    out.print(
        Text.assemble((in_one_line(database.name), "bold"), f"  {in_one_line(database.shown)}  {described}".rstrip())
    )
    if database.error is not None:
        out.print(Text(f"  {in_one_line(database.error)}", style="bold red"))
        if database.remedy:
            out.print(Text(f"    next: {in_one_line(database.remedy)}"))
    for step in database.steps:
        _print_step(out, step, verbose=verbose)
    for obstacle in database.obstacles:
        out.print(
            Text.assemble(("  ! ", "bold red"), f"{in_one_line(obstacle.object)}: {in_one_line(obstacle.problem)}")
        )
        out.print(Text(f"      next: {in_one_line(obstacle.remedy)}"))
        if obstacle.place:
            out.print(Text(f"      {obstacle.place}", style="dim"))
    if database.later is not None:
        out.print(Text(f"  {database.later}", style="dim"))
    for note in database.notes:
        out.print(Text(f"  note: {in_one_line(note)}", style="dim"))
    if not (database.steps or database.obstacles or database.error):
        out.print(Text("  no change", style="dim"))
    out.print()


def _print_step(out: Console, step: Step, *, verbose: bool) -> None:
    sign, style = _SIGNS[step.action]
    out.print(Text.assemble((f"  {sign} ", style), (in_one_line(_title(step)), "" if step.changes else style)))
    width = max((len(change.key) for change in step.changes), default=0)
    for change in step.changes:
        out.print(_change(change, width, is_new=step.action is Action.ADD))
    for warned in step.warnings:
        out.print(Text.assemble((f"      {warned.danger}: ", _DANGERS[warned.danger]), in_one_line(warned.text)))
    if verbose or step.warnings:
        for statement in step.statements:
            out.print(Text(f"      {in_one_line(statement)}", style="dim"))


def _change(change: Change, width: int, *, is_new: bool) -> Text:
    after = ("-" if change.after is None else in_one_line(change.after), "green")
    if is_new:
        return Text.assemble(f"      {change.key:<{width}}  ", after)
    before = "-" if change.before is None else in_one_line(change.before)
    return Text.assemble(f"      {change.key:<{width}}  ", (before, "red"), " → ", after)


def _command(step: Step, database: str) -> str | None:
    """The command that does what no script can do."""
    if step.kind is Kind.INSTALLATION:
        return f"partwarden install -d {database}"
    if step.wish is not None:
        wish = step.wish
        return f"partwarden convert {wish.table} --control {wish.control} --interval '{wish.interval}' -d {database}"
    return None


def _for_psql(name: str) -> str:
    """A name as an argument of psql's own commands."""
    return "'" + name.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _title(step: Step) -> str:
    match step.kind:
        case Kind.INSTALLATION | Kind.SETTINGS | Kind.SILENCES:
            name = step.object
        case _:
            name = f"{step.kind} {step.object}"
    return name + (f": {step.summary}" if step.summary else "")


def _counted(number: int, one: str, several: str) -> str:
    return f"{number} {one if number == 1 else several}"
