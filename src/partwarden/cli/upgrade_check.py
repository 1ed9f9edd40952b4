"""The command that says what another version of pg_partman breaks or changes."""

from __future__ import annotations

import json
import sys
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console


def upgrade_check(
    *,
    database: Annotated[
        tuple[str, ...],
        Parameter(
            name=["--database", "-d"],
            help="Which databases: postgresql://user@host/database, 'host=… dbname=…', env:…, iam:…, aws-secret:…; "
            "without it, PG* variables.",
            negative=(),
        ),
    ] = (),
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
    timeout: Annotated[float, Parameter(help="Seconds that one database may take.")] = 60,
    as_json: Annotated[bool, Parameter(name="--json", help="As JSON.")] = False,
) -> int:
    """Say what moving to another version of pg_partman breaks or changes in a database, and what mends it.

    From 4 to 5, and from one 5 to the next. Nothing is written. Exit code: 0 nothing has to be done but the update, 1
    something has, 3 it could not be looked at.
    """
    from partwarden.report.upgrade import document, print_upgrade, script
    from partwarden.upgrading import look

    upgrades = [look(dsn, target=target, timeout=timeout) for dsn in database or ("",)]
    if as_json:
        sys.stdout.write(json.dumps([document(each) for each in upgrades], indent=4) + "\n")
    elif sql:
        sys.stdout.write("\n".join(script(each) for each in upgrades))
    else:
        out = Console(highlight=False)
        for number, each in enumerate(upgrades):
            if number:
                out.print()
            print_upgrade(out, each)
    return 0 if all(each.is_clear for each in upgrades) else 1
