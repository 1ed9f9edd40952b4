"""The commands for the file as a whole: what would have to change, and change it."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from partwarden.cli.confirm import confirm
from partwarden.cli.duration import seconds
from partwarden.cli.grammar import COMMON, Common
from partwarden.cli.locking import LockTimeout, Window
from partwarden.errors import BadOption

_UNCHANGED, _CHANGED, _NOT_POSSIBLE = 0, 2, 3


def plan(
    *,
    script: Annotated[
        bool, Parameter(name="--sql", help="Write the statements instead, as a script for psql.")
    ] = False,
    common: Common = COMMON,
) -> int:
    """Show what would have to change for the databases to be as the file says; change nothing.

    Exit code: 0 nothing, 2 something would change, 3 a database could not be looked at, or something is asked for that can't
    be. Statements stand below a step that may destroy something or take long; with --verbose below each.
    """
    from partwarden.planning import plan as make_plan
    from partwarden.report.plan import plan_document, print_plan, print_script

    config = common.file()
    with common.waiting("looking at what is there"):
        made = make_plan(config, common.database, timeout=common.timeout)
    if script and sum(bool(database.steps) for database in made.databases) > 1:
        raise BadOption("a script is for one database, and several would change", remedy="name one: --database NAME")
    common.answer(plan_document(made))
    if script:
        print_script(common.out, made)
    else:
        print_plan(common.out, made, verbose=common.verbose)
    if not made.is_possible:
        return _NOT_POSSIBLE
    return _CHANGED if made.has_changes else _UNCHANGED


def apply(
    *,
    yes: Annotated[bool, Parameter(name=["--yes", "-y"], help="Do it without asking.")] = False,
    allow_destroy: Annotated[
        bool, Parameter(help="Also do what drops partitions, or has maintenance drop more of them.")
    ] = False,
    dry_run: Annotated[bool, Parameter(help="Show the plan; change nothing. The same as partwarden plan.")] = False,
    lock_timeout: LockTimeout = "10ms",
    window: Window = "1min",
    common: Common = COMMON,
) -> int:
    """Make the databases be as the file says: show the plan, ask, and do it, one transaction a set.

    It stops at the first failure in a database, says what was and what was not done, and goes on with the next database.
    Repeated, it does what is left. After --timeout seconds in a database nothing new is begun there. Exit code: 0 all is as
    the file says, 1 the answer was no, 3 something could not be done.
    """
    from partwarden.planning import Wait
    from partwarden.planning import apply as carry_out
    from partwarden.planning import plan as make_plan
    from partwarden.report.plan import Doing, applied_document, print_applied, print_plan

    if dry_run:
        return plan(common=common)
    wait = Wait(seconds("--lock-timeout", lock_timeout), seconds("--window", window), common.timeout)
    config = common.file()
    with common.waiting("looking at what is there"):
        made = make_plan(config, common.database, timeout=common.timeout)
    print_plan(common.messages, made, verbose=common.verbose)
    if made.has_changes and not confirm(common.messages, "do it?", yes=yes, quiet=common.json):
        return 1
    with Doing(common.messages) as tell:
        results = carry_out(config, made, tell, wait=wait, allow_destroy=allow_destroy)
    common.answer(applied_document(results))
    print_applied(common.table, results)
    return 0 if all(each.is_complete for each in results) else _NOT_POSSIBLE
