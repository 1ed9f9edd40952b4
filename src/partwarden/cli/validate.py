"""The command that reads the file and asks no server."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Annotated

from cyclopts import Parameter

from partwarden.cli.exits import Exit
from partwarden.cli.grammar import COMMON, Common


def validate(
    *,
    schema: Annotated[
        bool, Parameter(help="Print the JSON Schema of the file, for editors, and read none.", show_default=False)
    ] = False,
    common: Common = COMMON,
) -> int:
    """Read partwarden.yaml, without asking any server, and say everything that is wrong with it.

    Included files are read with it, and environment variables are looked up. Each line names file, line and column, the
    key, and what is wrong. Exit code: 0 there is nothing wrong, 3 there is.
    """
    from partwarden.config import BadFile
    from partwarden.config.schema import schema_text

    if schema:
        sys.stdout.write(schema_text())
        return Exit.DONE
    try:
        config = common.file()
    except BadFile as refused:
        if not common.json:
            raise
        common.answer({"ok": False, "problems": [asdict(each) for each in refused.problems]})
        return Exit.FAILED
    sets = [len(database.partition_sets) for database in config.databases]
    common.out.print(f"ok: {_counted(len(sets), 'database')}, {_counted(sum(sets), 'set')}")
    common.answer(
        {
            "ok": True,
            "databases": [
                {"name": database.name, "sets": len(database.partition_sets)} for database in config.databases
            ],
        }
    )
    return Exit.DONE


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
