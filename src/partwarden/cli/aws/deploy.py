"""The command that makes the way of an alert."""

from __future__ import annotations

import contextlib
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

from cyclopts import Group, Parameter
from rich.console import Console

from partwarden.cli.aws.options import CronDatabase, Entry, NoDatabase, Place, Yes, find_site
from partwarden.cli.confirm import confirm
from partwarden.cli.duration import seconds
from partwarden.cli.exits import Exit
from partwarden.errors import PartwardenError

if TYPE_CHECKING:
    from partwarden.aws.deploy import Deploy, Intention

_stack = Group("The alert stack; what is left out stays as it is", sort_key=3)
_jobs = Group("Jobs", sort_key=4)


def deploy(
    *,
    place: Place | None = None,
    entry: Entry | None = None,
    no_database: NoDatabase = False,
    admin_dsn: Annotated[
        str | None,
        Parameter(
            group="Login to the database", help="Who may create aws_lambda and grant it, where --database may not."
        ),
    ] = None,
    cron_database: CronDatabase = None,
    email: Annotated[
        tuple[str, ...], Parameter(group=_stack, help="Who is told; up to five. Each must confirm.", negative=())
    ] = (),
    topic: Annotated[
        str | None, Parameter(group=_stack, help="ARN of an SNS topic that is there, instead of --email.")
    ] = None,
    topic_key: Annotated[str | None, Parameter(group=_stack, help="ARN of the KMS key of the topic.")] = None,
    subnet: Annotated[
        tuple[str, ...],
        Parameter(group=_stack, help="For function and endpoints. [at first: two of the database's]", negative=()),
    ] = (),
    no_endpoints: Annotated[
        bool,
        Parameter(name="--no-endpoints", negative=(), group=_stack, help="Make none: the VPC has a NAT gateway, say."),
    ] = False,
    exclusive_endpoints: Annotated[
        bool,
        Parameter(
            group=_stack,
            help="Let only the database and the function through new endpoints. Whatever else in the VPC uses SNS or "
            "Lambda is then cut off from it.",
        ),
    ] = False,
    heartbeat_minutes: Annotated[
        int | None, Parameter(group=_stack, help="Minutes without a heartbeat until the alarm; 0: none. [at first: 10]")
    ] = None,
    heartbeat_database: Annotated[
        str | None, Parameter(group=_stack, help="The database whose heartbeat counts. [at first: any]")
    ] = None,
    use_attached_role: Annotated[
        bool,
        Parameter(group=_stack, help="Keep the role that the database has for Lambda; let it invoke the function."),
    ] = False,
    maintenance: Annotated[
        str | None, Parameter(group=_jobs, help="When partitions are maintained. [at first: hourly]")
    ] = None,
    monitor: Annotated[
        str | None, Parameter(group=_jobs, help="When the monitor looks. [at first: every 10 seconds, or every minute]")
    ] = None,
    wait: Annotated[str, Parameter(help="How long to wait until all addresses are confirmed.")] = "10min",
    no_wait: Annotated[bool, Parameter(name="--no-wait", negative=(), help="Do not wait for that.")] = False,
    dry_run: Annotated[bool, Parameter(help="Show what would be done; leave nothing behind.")] = False,
    yes: Yes = False,
) -> int:
    """Make the way of an alert for a database: stack, role, security group, aws_lambda, partwarden, jobs; and try it.

    Shows first what it would do. Each step looks whether it is done, so the same command goes on after a failure, and
    changes what is asked for anew. Exit code: 0 done, 1 someone has not confirmed, or (--dry-run) there is something to do,
    3 it could not be done.
    """
    place, entry = place or Place(), entry or Entry()
    if no_wait:
        wait = "0s"
    out, messages = entry.out, entry.messages
    site = find_site(place, None if no_database else entry)

    from partwarden.aws.alert_stack import Wish
    from partwarden.aws.deploy import DatabaseWish, Deploy
    from partwarden.report.deploy import Screen

    screen = Screen(messages)
    work = Deploy(
        site,
        Wish(
            emails=email,
            topic=topic,
            topic_key=topic_key,
            subnets=subnet,
            makes_endpoints=False if no_endpoints else None,
            shares_endpoints=False if exclusive_endpoints else None,
            heartbeat_minutes=heartbeat_minutes,
            heartbeat_database=heartbeat_database,
        ),
        screen,
        database=DatabaseWish(admin_dsn, cron_database, maintenance, monitor),
        use_attached_role=use_attached_role,
        wait_seconds=seconds("--wait", wait),
        hop=screen.hop,
    )
    out.print(f"{site.cluster()} in {site.account}, as {site.account.identity}", markup=False)
    try:
        with screen:
            plan = work.plan()
        _show(out, work, plan)
        is_done = all(each.there is not None for each in plan)
        goes_on = not is_done and not dry_run and confirm(messages, "do it?", yes=yes, quiet=entry.json)
    except BaseException:
        with contextlib.suppress(PartwardenError):  # what has gone wrong first is what counts
            work.discard()
        raise
    answer = {"stack": site.stack_name, "plan": [asdict(each) for each in plan]}
    if not goes_on:
        work.discard()
        entry.answer({**answer, "is_done": is_done})
        return Exit.DONE if is_done else Exit.LEFT
    try:
        with screen:
            reports = work.run()
    except KeyboardInterrupt:
        messages.print(
            "interrupted: CloudFormation and RDS go on by themselves; the same command again goes on from there"
        )
        raise
    entry.answer({**answer, "is_done": True, "steps": [asdict(each) for each in reports], "waits_for": work.waits_for})
    if work.waits_for:
        out.print(f"all is made; alerts reach {', '.join(work.waits_for)} after the confirmation", markup=False)
        return Exit.DONE if no_wait else Exit.LEFT
    out.print("all is made", style="green")
    return Exit.DONE


def _show(out: Console, work: Deploy, plan: list[Intention]) -> None:
    from partwarden.report.deploy import print_changes, print_intentions

    print_intentions(out, [(each.name, each.there, each.intent) for each in plan])
    if work.changes is not None:
        out.print()
        print_changes(out, work.changes)
    if work.shares_new_endpoints:
        out.print(
            "\nnote: the new endpoints take over the names of SNS and Lambda for the whole VPC, and let all of it in; "
            "--exclusive-endpoints would let in the database and the function only"
        )
    out.print()
