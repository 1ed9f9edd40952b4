"""The command that says what another version of pg_partman breaks or changes."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from partwarden.cli.exits import Exit
from partwarden.cli.grammar import COMMON, Common
from partwarden.dsn import label
from partwarden.errors import PartwardenError
from partwarden.report.upgrade import document, print_upgrade, refusal, script
from partwarden.upgrading import look

_TIMEOUT = 60.0


def upgrade_check(
    *,
    target: Annotated[
        str | None,
        Parameter(
            name="--to",
            help="The version to go to. [what the server has files of, or the newest that is known]",
            show_default=False,
        ),
    ] = None,
    sql: Annotated[
        bool, Parameter(name="--sql", help="Print all statements in the order of work, as a script.")
    ] = False,
    common: Common = COMMON,
) -> int:
    """Say what moving to another version of pg_partman breaks or changes in a database, and what mends it.

    From 4 to 5, and from one 5 to the next. Nothing is written. Exit code: 0 nothing has to be done but the update, 1
    something has, 3 a database could not be looked at; the others are all the same.
    """
    named = common.databases()
    documents = []
    code = Exit.DONE
    for number, each in enumerate(named):
        try:
            upgrade = look(each.dsn, target=target, timeout=common.timeout or _TIMEOUT)
        except PartwardenError as failure:
            if len(named) == 1:
                raise
            documents.append(refusal(each.name or label(each.dsn), failure))
            common.messages.print(f"{each.name or label(each.dsn)}: {failure}", style="red", markup=False)
            code = Exit.FAILED
            continue
        documents.append(document(upgrade))
        if not upgrade.is_clear:
            code = max(code, Exit.LEFT)
        if sql:
            common.out.print(script(upgrade), markup=False, end="")
            continue
        if number:
            common.out.print()
        print_upgrade(common.out, upgrade)
    common.answer({"databases": documents})
    return code
