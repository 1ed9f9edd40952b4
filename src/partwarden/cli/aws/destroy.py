"""The command that takes the way of an alert away."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from cyclopts import Parameter

from partwarden.cli.aws.options import CronDatabase, Entry, Place, Yes, find_site
from partwarden.cli.confirm import confirm
from partwarden.cli.exits import Exit


def destroy(
    *,
    place: Place | None = None,
    entry: Entry | None = None,
    cron_database: CronDatabase = None,
    keep_database: Annotated[
        bool,
        Parameter(
            name=["--keep-database", "--no-database"],
            negative=(),
            help="Leave the database alone, or be without it; its monitor fails until partwarden unschedule takes it out.",
        ),
    ] = False,
    uninstall: Annotated[
        bool,
        Parameter(
            help="Drop the schema partwarden, with the record of incidents, too; and aws_lambda if deploy made it."
        ),
    ] = False,
    dry_run: Annotated[bool, Parameter(help="Show what would be taken away; change nothing.")] = False,
    yes: Yes = False,
) -> int:
    """Take away what deploy has made: jobs, security group, role, stack, in this order; nothing of others.

    What can't be taken away does not keep the rest; the same command again does what is left. Exit code: 0 all is gone, 1
    (--dry-run) something is there, or you said no, 3 something could not be taken away.
    """
    entry = entry or Entry()
    out, messages = entry.out, entry.messages
    site = find_site(place or Place(), None if keep_database else entry, must_exist=False)

    from partwarden.aws.destroy import Destroy
    from partwarden.report.deploy import Screen, print_intentions

    screen = Screen(messages)
    work = Destroy(site, screen, uninstalls=uninstall, cron_database=cron_database)
    plan = work.plan()
    of = f"{site.cluster()} in " if site.has_cluster else ""
    out.print(f"{of}{site.account}, stack {site.stack_name}", markup=False)
    print_intentions(out, [(step.name, there, step.intent()) for step, there in plan])
    answer = {
        "stack": site.stack_name,
        "plan": [{"name": step.name, "gone": there, "intent": step.intent()} for step, there in plan],
    }
    if all(there is not None for _, there in plan):
        out.print("nothing to do")
        entry.answer({**answer, "is_gone": True})
        return Exit.DONE
    out.print()
    if dry_run or not confirm(messages, "take it away?", yes=yes, quiet=entry.json):
        entry.answer({**answer, "is_gone": False})
        return Exit.LEFT
    try:
        with screen:
            reports = work.run()
    except KeyboardInterrupt:
        messages.print(
            "interrupted: CloudFormation and RDS go on by themselves; the same command again does what is left"
        )
        raise
    out.print("all is gone", style="green")
    entry.answer({**answer, "is_gone": True, "steps": [asdict(each) for each in reports]})
    return Exit.DONE
