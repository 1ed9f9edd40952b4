"""The command that writes the first partwarden.yaml."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from partwarden.cli.grammar import COMMON, Common
from partwarden.cli.whole_file import write_whole
from partwarden.errors import InitialFileFailed

_STANDARD_OUTPUT = "-"
_TIMEOUT = 60


def init(
    dsn: Annotated[
        str | None,
        Parameter(help="The database: a connection string, env:VARIABLE, iam:…, aws-secret:…", metavar="DSN"),
    ] = None,
    /,
    *,
    output: Annotated[
        str, Parameter(name=["--output", "-o"], help="The file to write; - is standard output.", metavar="FILE")
    ] = _STANDARD_OUTPUT,
    name: Annotated[
        str | None, Parameter(help="What the file calls the database; default: its own name.", metavar="NAME")
    ] = None,
    force: Annotated[bool, Parameter(help="Replace a file that is there.", show_default=False)] = False,
    common: Common = COMMON,
) -> None:
    """Write partwarden.yaml from what a database has, so that partwarden plan finds nothing to change.

    It has the sets that pg_partman 4 or 5 manages, partwarden's jobs, settings and silences, and as comments what nobody
    manages, with the interval that its partitions have, and what the file has no words for. Nothing is written to the
    database, and no password to the file.
    """
    from partwarden.initial import initial_file

    target = None if output == _STANDARD_OUTPUT else Path(output)
    if target is not None and target.exists() and not force:
        raise InitialFileFailed(
            f"{target} is there already", remedy="write to another file with -o, or replace it with --force"
        )
    database = common.one_database(dsn)
    with common.waiting("looking at what is there"):
        made = initial_file(database.dsn, name=name or database.name, timeout=common.timeout or _TIMEOUT)
    if target is not None:
        _write(target, made.text)
    elif not common.json:
        sys.stdout.write(made.text)
    common.answer(
        {
            "database": made.database,
            "file": None if target is None else str(target),
            "sets": made.sets,
            "suggested": made.suggested,
            "refused": made.refused,
            "text": made.text,
        }
    )
    in_comments = [
        f"{number} {what}"
        for number, what in ((made.suggested, "that nobody manages"), (made.refused, "that can't be said"))
        if number
    ]
    common.messages.print(
        f"{'' if target is None else f'{target}: '}{made.sets} {'set' if made.sets == 1 else 'sets'}"
        + (f"; in comments {' and '.join(in_comments)}" if in_comments else ""),
        markup=False,
    )
    if target is not None:
        common.messages.print(f"next: partwarden plan --config {target}", markup=False)


def _write(target: Path, text: str) -> None:
    """All of it or nothing."""
    try:
        write_whole(target, text)
    except OSError as failure:
        raise InitialFileFailed(
            f"could not write {target}: {failure.strerror}",
            remedy="write to another file with -o, or to standard output",
        ) from None
