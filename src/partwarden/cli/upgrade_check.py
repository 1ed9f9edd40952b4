"""The command that says what another version of pg_partman breaks or changes."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from partwarden.cli.exits import Exit
from partwarden.cli.grammar import COMMON, Common
from partwarden.report.upgrade import document, print_upgrade, script
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
    something has, 3 it could not be looked at.
    """
    upgrades = [look(each.dsn, target=target, timeout=common.timeout or _TIMEOUT) for each in common.databases()]
    for number, each in enumerate(upgrades):
        if sql:
            common.out.print(script(each), markup=False, end="")
        else:
            if number:
                common.out.print()
            print_upgrade(common.out, each)
    common.answer({"databases": [document(each) for each in upgrades]})
    return Exit.DONE if all(each.is_clear for each in upgrades) else Exit.LEFT
