"""The command that makes a plain table a partition set."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from partwarden.cli.confirm import confirm
from partwarden.cli.duration import seconds
from partwarden.cli.exits import Exit
from partwarden.cli.grammar import COMMON, Common
from partwarden.cli.locking import LockTimeout, Window
from partwarden.converting import Form, Undo, Wish, look
from partwarden.converting import convert as convert_now
from partwarden.converting import undo as undo_now
from partwarden.draining import until
from partwarden.errors import TimeIsUp


def convert(
    table: Annotated[str, Parameter(help="The plain table: schema.table.")],
    /,
    *,
    control: Annotated[str, Parameter(help="The column that its partitions are made by.")] = "",
    interval: Annotated[str, Parameter(help="How much of it a partition holds: '1 day', 10000.")] = "",
    premake: Annotated[int, Parameter(help="How many partitions are made ahead.")] = 4,
    form: Annotated[
        Form | None,
        Parameter(
            name="--as", help="What the table becomes: first or default partition. [what fits]", show_default=False
        ),
    ] = None,
    epoch: Annotated[
        str, Parameter(help="Where the column is a number that means a time: seconds, milliseconds, …")
    ] = "none",
    encoder: Annotated[
        str | None, Parameter(help="Where it is a text or uuid that holds a time: the function that writes one.")
    ] = None,
    decoder: Annotated[str | None, Parameter(help="And the one that reads it.")] = None,
    lock_timeout: LockTimeout = "10ms",
    window: Window = "1min",
    dry_run: Annotated[bool, Parameter(help="Show every statement with its lock; change nothing.")] = False,
    yes: Annotated[bool, Parameter(name=["--yes", "-y"], help="Do it without asking.")] = False,
    undo: Annotated[
        bool, Parameter(help="Take it back: what was prepared, or all of it while no other partition has rows.")
    ] = False,
    common: Common = COMMON,
) -> int:
    """Make a plain table a partition set that bears its name, while everybody goes on reading and writing.

    No row is copied: the table becomes the default partition, out of which partwarden drain gives each interval its own, or
    the first one. Keys, foreign keys, views, triggers, policies and privileges are carried over. It runs as the table's
    owner; pg_partman has to be there. Ctrl-C is safe at any moment: the same command goes on, also without --control and
    --interval. Exit code: 0 done, 1 the answer was no, or with --dry-run something is in the way, 3 it could not be done.
    """
    dsn = common.one_database().dsn
    waits = seconds("--lock-timeout", lock_timeout), seconds("--window", window)
    if undo:
        return _undo(dsn, Undo(table, *waits), common)
    wish = Wish(
        table,
        control,
        interval,
        premake=premake,
        form=form,
        epoch=epoch,
        time_encoder=encoder,
        time_decoder=decoder,
        # Partitions are made ahead of this moment, also when no rows come for a while.
        settings={"infinite_time_partitions": "true"},
        lock_timeout=waits[0],
        window=waits[1],
    )
    return _convert(dsn, wish, common, dry_run=dry_run, yes=yes)


def _convert(dsn: str, wish: Wish, common: Common, *, dry_run: bool, yes: bool) -> int:
    from partwarden.report.convert import (
        Telling,
        conversion_document,
        converted_document,
        print_conversion,
        print_converted,
    )

    with common.waiting("looking at the table"):
        conversion = look(dsn, wish)
    if dry_run:
        common.answer(conversion_document(wish.table, conversion))
        print_conversion(common.out, conversion, statements=True)
        return Exit.LEFT if conversion is not None and conversion.obstacles else Exit.DONE
    if conversion is not None:
        print_conversion(common.messages, conversion, statements=common.verbose)
        if not conversion.obstacles and not confirm(common.messages, "do it?", yes=yes, quiet=common.json):
            return Exit.LEFT
    try:
        with Telling(common.messages) as tell:
            converted = convert_now(dsn, wish, until(common.timeout, tell))
    except TimeIsUp as late:
        common.messages.print(f"{late.problem}; {late.remedy}", markup=False)
        return Exit.LEFT
    except KeyboardInterrupt:
        common.messages.print("nothing is lost: the same command goes on, --undo takes back what was begun")
        raise
    common.answer(converted_document(wish.table, converted))
    print_converted(common.out, converted)
    return Exit.DONE


def _undo(dsn: str, wish: Undo, common: Common) -> int:
    from partwarden.report.convert import Telling

    with Telling(common.messages) as tell:
        was_there = undo_now(dsn, wish, tell)
    common.answer({"table": wish.table, "undone": was_there})
    common.out.print("the table is as it was" if was_there else "nothing of a conversion is there; nothing to do")
    return Exit.DONE
