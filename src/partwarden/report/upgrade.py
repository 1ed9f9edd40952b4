"""The way to another version of pg_partman: for people, as a document, and as a script."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import groupby
from typing import Any

from rich.console import Console
from rich.text import Text

from partwarden.errors import PartwardenError
from partwarden.report.text import in_one_line, visible, visible_lines
from partwarden.upgrading import Concern, Severity, Step, Upgrade

_COLOURS = {Severity.CRITICAL: "bold red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}
_WIDEST = 100
_LINES_SHOWN = 6
"""So many lines of a concern's statements are shown; the script has them all."""
_OBJECTS_SHOWN = 12
"""So many objects of one concern are shown."""


def print_upgrade(out: Console, upgrade: Upgrade) -> None:
    """What is concerned, worst first, and the order of work."""
    _print(out, Text.assemble((visible(upgrade.database), "bold"), "  ", _versions(upgrade)))
    if upgrade.installed is None:
        _print(out, Text("  it has no pg_partman; nothing to do"))
        return
    for _, same in groupby(upgrade.concerns, key=lambda concern: (concern.severity, concern.id)):
        out.print()
        _print_concerns(out, list(same))
    for each in upgrade.unseen:
        _print_beside(out, Text("  not looked at  ", style="dim"), in_one_line(each))
    if upgrade.steps:
        out.print()
        _print(out, Text("The order of work", style="bold"))
    for step in upgrade.steps:
        _print_step(out, step, upgrade.concerns)
    out.print()
    _print(out, Text(_sum_up(upgrade)))


def document(upgrade: Upgrade) -> dict[str, Any]:
    """The same with named keys, as JSON knows them."""
    return {
        "database": upgrade.database,
        "postgresql": upgrade.postgresql,
        "pg_partman": {"installed": upgrade.installed, "offered": upgrade.offered, "target": upgrade.target},
        "clear": upgrade.is_clear,
        "concerns": [asdict(concern) for concern in upgrade.concerns],
        "steps": [asdict(step) for step in upgrade.steps],
        "not_looked_at": list(upgrade.unseen),
    }


def refusal(database: str, failure: PartwardenError) -> dict[str, Any]:
    """What stands for a database that could not be looked at."""
    return {"database": database, "error": failure.problem, "remedy": failure.remedy}


def script(upgrade: Upgrade) -> str:
    """All statements in the order of work, with who runs them where as comments."""
    lines = [f"-- {upgrade.database}: {_versions(upgrade)}"]
    for step in upgrade.steps:
        lines += ["", f"-- {step.number}. {step.title}", f"-- {_who(step)}", *step.statements]
    return "\n".join(visible(line) for text in lines for line in text.split("\n")) + "\n"


def _versions(upgrade: Upgrade) -> str:
    if upgrade.installed is None:
        return f"PostgreSQL {upgrade.postgresql}"
    way = f"pg_partman {upgrade.installed}"
    if upgrade.target != upgrade.installed:
        way += f" to {upgrade.target}"
    return f"{way}, PostgreSQL {upgrade.postgresql}"


def _print_concerns(out: Console, concerns: Sequence[Concern]) -> None:
    first = concerns[0]
    since = "in every version" if first.since is None else f"since {first.since}"
    lead = Text.assemble(
        (f"{first.severity.upper():8}", _COLOURS[first.severity]), "  ", (first.id, "bold"), f"  {since}"
    )
    _print(out, lead)
    _print_beside(out, Text("  why     ", style="dim"), in_one_line(first.why))
    for concern in concerns[:_OBJECTS_SHOWN]:
        _print_beside(
            out, Text.assemble("  ", (visible(concern.object), "bold"), "  "), in_one_line(concern.what), indent=4
        )
        after = "may" if concern.severity is Severity.NOTE else "after"
        for when, statements in (("before", concern.before), (after, concern.after)):
            _print_statements(out, when, statements)
    if len(concerns) > _OBJECTS_SHOWN:
        _print(
            out,
            Text(f"  … {len(concerns) - _OBJECTS_SHOWN} more; --json has them, --sql their statements", style="dim"),
        )


def _print_statements(out: Console, when: str, statements: Sequence[str]) -> None:
    lines = [line for statement in statements for line in visible_lines(statement)]
    shown = lines if len(lines) <= _LINES_SHOWN + 1 else lines[:_LINES_SHOWN]
    for number, line in enumerate(shown):
        _print(out, Text.assemble((f"    {when if number == 0 else '':7} ", "dim"), line))
    if len(shown) < len(lines):
        _print(out, Text(f"            … {len(lines) - len(shown)} more lines; --sql has them", style="dim"))


def _print_step(out: Console, step: Step, concerns: Sequence[Concern]) -> None:
    _print(out, Text(f"  {step.number}. {step.title}"))
    _print_beside(out, Text("     "), in_one_line(_who(step)), style="dim")
    told = {statement for concern in concerns for statement in (*concern.before, *concern.after)}
    of_concerns = [statement for statement in step.statements if statement in told]
    if of_concerns:
        number = len(of_concerns)
        _print(
            out, Text(f"     {number} statement{'' if number == 1 else 's'} from above, in the order that --sql has")
        )
        return
    for line in _lines(step.statements):
        _print(out, Text(f"     {line}"))


def _who(step: Step) -> str:
    return step.by if step.database is None else f"in database {step.database}, as {step.by}"


def _lines(statements: Sequence[str]) -> Iterator[str]:
    for statement in statements:
        yield from visible_lines(statement)


def _sum_up(upgrade: Upgrade) -> str:
    counts = {severity: sum(each.severity is severity for each in upgrade.concerns) for severity in Severity}
    words = {Severity.CRITICAL: "critical", Severity.WARNING: "warning", Severity.NOTE: "note"}
    told = [
        f"{number} {words[severity]}{'' if number == 1 or severity is Severity.CRITICAL else 's'}"
        for severity, number in counts.items()
        if number
    ]
    if upgrade.target == upgrade.installed:
        told.append(f"pg_partman {upgrade.installed} is the newest that is known")
    return ", ".join(told) or f"nothing is in the way to {upgrade.target}"


def _print_beside(out: Console, lead: Text, prose: str, *, indent: int | None = None, style: str = "") -> None:
    """Print ``lead``, and the prose beside it, wrapped."""
    rest = Text(" " * (lead.cell_len if indent is None else indent))
    width = max(min(out.width, _WIDEST) - rest.cell_len, 20)
    first = max(width - lead.cell_len + rest.cell_len, 20)
    rows = textwrap.wrap(prose, width, initial_indent="\0" * (width - first), break_on_hyphens=False) or [""]
    for number, row in enumerate(rows):
        _print(out, Text.assemble(lead if number == 0 else rest, (row.lstrip("\0"), style)))


def _print(out: Console, line: Text) -> None:
    out.print(line, soft_wrap=True)
