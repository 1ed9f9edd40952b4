"""The commands that say what the checks are."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter
from rich.console import Console
from rich.table import Table

from partwarden import bundle
from partwarden.health import Question


def checks() -> None:
    """List the checks, and what each finds."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("check", no_wrap=True)
    table.add_column("severity", overflow="fold", max_width=16)
    table.add_column("finds", overflow="fold")
    for each in bundle.checks():
        table.add_row(each.id, each.severity.split(",")[0], each.why)
    Console(highlight=False).print(table)


def explain(
    check_id: Annotated[str, Parameter(name="CHECK", help="Its name, as in: partwarden explain gap")],
    *,
    sql: Annotated[bool, Parameter(name="--sql", help="Show the statement instead.")] = False,
) -> None:
    """Say what a check finds, why that hurts, how it comes about and how to mend it."""
    (found,) = Question(only=frozenset({check_id})).checks
    out = Console(highlight=False)
    if sql:
        from rich.syntax import Syntax  # what renders SQL and Markdown takes longer to import than most commands run

        text = bundle.statement((found,), given="select '{}'::jsonb as fact", met=frozenset(), partman_schema=None)
        out.print(
            Syntax(text, "sql", background_color="default") if out.is_terminal else text, markup=False, soft_wrap=True
        )
        return
    page = bundle.page(found.id)
    if out.is_terminal:
        from rich.markdown import Markdown

        out.print(Markdown(page))
    else:
        out.print(page, markup=False, soft_wrap=True)
