"""The commands that say what the checks are."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter
from rich.table import Table

from partwarden import bundle
from partwarden.cli import completion
from partwarden.cli.grammar import OUTPUT, Output
from partwarden.health import Question


def checks(*, output: Output = OUTPUT) -> None:
    """List the checks, and what each finds."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("check", no_wrap=True)
    table.add_column("severity", overflow="fold", max_width=16)
    table.add_column("finds", overflow="fold")
    for each in bundle.checks():
        table.add_row(each.id, _severity(each), each.why)
    output.table.print(table)
    output.answer(
        {
            "checks": [
                {"check": each.id, "severity": _severity(each), "needs": each.needs, "finds": each.why}
                for each in bundle.checks()
            ]
        }
    )


def explain(
    check_id: Annotated[
        str, Parameter(name="CHECK", completer=completion.checks, help="Its name, as in: partwarden explain gap")
    ],
    /,
    *,
    sql: Annotated[bool, Parameter(name="--sql", help="Show the statement instead.")] = False,
    output: Output = OUTPUT,
) -> None:
    """Say what a check finds, why that hurts, how it comes about and how to mend it."""
    (found,) = Question(only=frozenset({check_id})).checks
    text = bundle.statement((found,), given="select '{}'::jsonb as fact", met=frozenset(), partman_schema=None)
    page = bundle.page(found.id)
    output.answer({"check": found.id, "severity": _severity(found), "page": page, "statement": text})
    out = output.out
    if not out.is_terminal:
        out.print(text if sql else page, markup=False)
    elif sql:
        from rich.syntax import Syntax  # what renders SQL and Markdown takes longer to import than most commands run

        out.print(Syntax(text, "sql", background_color="default"))
    else:
        from rich.markdown import Markdown

        output.page.print(Markdown(page))


def _severity(check: bundle.Check) -> str:
    """The one that it mostly has; the header says in words when it has another."""
    return check.severity.split(",")[0]
