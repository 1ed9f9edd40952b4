"""Commands for a fleet: many clusters, watched from one place."""

from __future__ import annotations

import contextlib
import functools
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Group, Parameter
from rich.console import Console

from partwarden.cli.aws.options import Profile, Region, Yes
from partwarden.cli.confirm import confirm
from partwarden.cli.exits import Exit
from partwarden.cli.grammar import OUTPUT, Output
from partwarden.errors import BadOption, PartwardenError

if TYPE_CHECKING:
    from partwarden.aws.fleet.package import Architecture, Package

app = App(
    name="fleet",
    help="Central monitoring: look at many clusters from outside, with nothing installed in them, and mail what is wrong.\n\n"
    "The clusters stand in Parameter Store, /check_cron_job_status/CLUSTER/{db_host, db_port, …}, or carry a tag in RDS: "
    "docs/fleet.md.",
    group_commands=Group("Commands", sort_key=0),
    default_parameter=Parameter(negative=(), show_default=False),
)

_place = Group("Where the workers live; what is left out stays as it is", sort_key=1)
_list = Group("Which clusters, and how often", sort_key=2)
_told = Group("Who is told", sort_key=3)
_workers = Group("The workers", sort_key=4)

Name = Annotated[str, Parameter(help="The fleet's name, which its stack has.", show_default=True)]


@app.command(sort_key=0)
def deploy(
    *,
    name: Name = "partwarden-fleet",
    beside: Annotated[
        str | None, Parameter(group=_place, help="In the VPC of this cluster, and two of its subnets.")
    ] = None,
    beside_instance: Annotated[str | None, Parameter(group=_place, help="The same for an RDS instance.")] = None,
    vpc: Annotated[str | None, Parameter(group=_place, help="A VPC from which all clusters can be reached.")] = None,
    subnet: Annotated[tuple[str, ...], Parameter(group=_place, help="Private subnets there; better two.")] = (),
    client_group: Annotated[
        str | None, Parameter(group=_place, help="A security group that the clusters let in already.")
    ] = None,
    database_network: Annotated[
        str | None, Parameter(group=_place, help="Addresses of the clusters. [at first: the VPC's first range]")
    ] = None,
    no_endpoints: Annotated[
        bool, Parameter(name="--no-endpoints", group=_place, help="Make none: the VPC has a NAT gateway, say.")
    ] = False,
    exclusive_endpoints: Annotated[
        bool,
        Parameter(
            group=_place,
            help="Let only the workers through a new endpoint for SNS. Whatever else in the VPC uses SNS is then cut off.",
        ),
    ] = False,
    path: Annotated[
        str | None, Parameter(group=_list, help="In Parameter Store. [at first: /check_cron_job_status]")
    ] = None,
    tag: Annotated[
        str | None, Parameter(group=_list, help="Instead: the clusters whose tag partwarden:fleet has this value.")
    ] = None,
    every: Annotated[
        Literal[1, 2, 3, 5, 10, 15, 30, 60] | None, Parameter(group=_list, help="Minutes. [at first: 5]")
    ] = None,
    user: Annotated[
        str | None, Parameter(group=_list, help="Who logs in to the databases, by IAM. [at first: rds_iamuser]")
    ] = None,
    email: Annotated[tuple[str, ...], Parameter(group=_told, help="Who is told; up to five. Each must confirm.")] = (),
    topic: Annotated[
        str | None, Parameter(group=_told, help="ARN of an SNS topic that is there, instead of --email.")
    ] = None,
    member_topic: Annotated[
        tuple[str, ...],
        Parameter(group=_told, help="ARNs, * allowed, that clusters may name as theirs. [those that they name now]"),
    ] = (),
    architecture: Annotated[
        Literal["arm64", "x86_64"] | None, Parameter(group=_workers, help="Processors. [at first: arm64]")
    ] = None,
    memory: Annotated[int | None, Parameter(group=_workers, help="Megabytes of a worker. [at first: 512]")] = None,
    concurrency: Annotated[int | None, Parameter(group=_workers, help="Workers at once. [at first: 10]")] = None,
    ca_bundle: Annotated[
        Path | None,
        Parameter(group=_workers, help="Certificates of RDS; without it, partwarden aws ca-bundle has them."),
    ] = None,
    region: Region = None,
    profile: Profile = None,
    dry_run: Annotated[bool, Parameter(help="Show what would be done; leave nothing behind.")] = False,
    yes: Yes = False,
    output: Output = OUTPUT,
) -> int:
    """Make the fleet's stack, or change it; repeated, it does what is left to do, and brings the workers up to date.

    Exit code: 0 done, 1 (--dry-run) there is something to do, 3 it could not be done.
    """
    out, messages = output.out, output.messages
    if len([each for each in (beside, beside_instance, vpc) if each is not None]) > 1:
        raise BadOption("the workers live in one place", remedy="give one of --beside, --beside-instance, --vpc")

    from partwarden.aws.account import Account
    from partwarden.aws.cluster import find_cluster, find_instance
    from partwarden.aws.fleet.deploy import Deploy, Site
    from partwarden.aws.fleet.surroundings import beside as place_of
    from partwarden.aws.fleet.wish import Wish
    from partwarden.report.deploy import print_event
    from partwarden.report.fleet import print_plan

    account = Account.of(region, profile)
    site = Site(account, name, vpc, subnet)
    if beside is not None or beside_instance is not None:
        found = find_cluster(account, beside) if beside else find_instance(account, str(beside_instance))
        there, theirs = place_of(found)
        site = Site(account, name, there, subnet or theirs)
    wish = Wish(
        emails=email,
        topic=topic,
        member_topics=member_topic or None,
        path=path,
        tag=tag,
        every_minutes=every,
        client_group=client_group,
        database_network=database_network,
        user=user,
        makes_endpoints=False if no_endpoints else None,
        shares_endpoints=False if exclusive_endpoints else None,
        architecture=architecture,
        memory=memory,
        concurrency=concurrency,
    )
    work = Deploy(site, wish, functools.partial(print_event, messages), functools.partial(_pack, messages, ca_bundle))
    out.print(f"fleet {name} in {account}, as {account.identity}", markup=False)
    try:
        plan = work.plan()
        print_plan(out, name, plan)
        goes_on = not plan.is_done and not dry_run and confirm(messages, "do it?", yes=yes, quiet=output.json)
    except BaseException:
        with contextlib.suppress(PartwardenError):  # what has gone wrong first is what counts
            work.discard()
        raise
    answer = {"fleet": name, "members": [each.name for each in plan.roster.members]}
    if not goes_on:
        is_done = plan.is_done
        work.discard()
        output.answer({**answer, "is_done": is_done})
        return Exit.DONE if is_done else Exit.LEFT
    try:
        stack = work.run()
    except KeyboardInterrupt:
        messages.print("interrupted: CloudFormation goes on by itself; the same command again goes on from there")
        raise
    group = stack.output("WorkerSecurityGroupId")
    out.print(f"\nfleet {name} is {stack.status}", markup=False)
    out.print(f"let the workers in where the databases are: security group {group}")
    out.print("each address gets a mail from AWS, and has to confirm; then: partwarden aws fleet status")
    output.answer({**answer, "is_done": True, "status": stack.status, "worker_security_group": group})
    return Exit.DONE


@app.command(sort_key=1)
def status(
    *,
    name: Name = "partwarden-fleet",
    show_all: Annotated[bool, Parameter(name="--all", help="All open incidents, not the first twenty.")] = False,
    region: Region = None,
    profile: Profile = None,
    output: Output = OUTPUT,
) -> int:
    """Show how the fleet is, and what it knows of the clusters.

    Exit code: 0 all is well, 1 there are open incidents, or something is wrong with the fleet itself, 3 it could not be
    looked at.
    """
    from datetime import UTC, datetime

    from partwarden.aws.account import Account
    from partwarden.aws.fleet.status import look
    from partwarden.report.fleet import SHOWN, as_document, print_status

    with output.waiting("looking at the fleet"):
        found = look(Account.of(region, profile), name, datetime.now(UTC))
    print_status(output.out, found, None if show_all else SHOWN)
    output.answer(as_document(found))
    return Exit.LEFT if found.problems or found.incidents else Exit.DONE


@app.command(sort_key=2)
def destroy(
    *,
    name: Name = "partwarden-fleet",
    region: Region = None,
    profile: Profile = None,
    dry_run: Annotated[bool, Parameter(help="Show what would be taken away.")] = False,
    yes: Yes = False,
    output: Output = OUTPUT,
) -> int:
    """Take the fleet away, with all that it knows: its stack, and the bucket with the package.

    Left as they are: the clusters, what Parameter Store and tags say of them, and topics that others have made. A security
    group of a cluster that lets the workers in has to forget theirs first, or theirs can't be deleted.
    """
    from partwarden.aws.account import Account
    from partwarden.aws.fleet import destroy as destroying
    from partwarden.report.deploy import print_event

    out, messages = output.out, output.messages
    account = Account.of(region, profile)
    there = destroying.look(account, name)
    names = [each for each in (there.stack, there.bucket_stack) if each is not None]
    if not names:
        out.print(f"there is no fleet {name} in {account}; nothing to do", markup=False)
        output.answer({"fleet": name, "is_gone": True, "deleted": []})
        return Exit.DONE
    for each in names:
        out.print(f"to delete  stack {each}, with all that it has made", markup=False)
    if dry_run or not confirm(messages, f"delete fleet {name} in {account}?", yes=yes, quiet=output.json):
        output.answer({"fleet": name, "is_gone": False, "stacks": names})
        return Exit.LEFT
    destroying.destroy(account, name, functools.partial(print_event, messages))
    out.print(f"fleet {name} is gone", markup=False)
    output.answer({"fleet": name, "is_gone": True, "deleted": names})
    return Exit.DONE


def _pack(messages: Console, certificates: Path | None, architecture: Architecture) -> Package:
    from partwarden.aws import ca_bundle as bundles
    from partwarden.aws.fleet.package import build, fetch_libraries

    file = bundles.look_at(certificates, "--ca-bundle names").file if certificates else bundles.ca_bundle()
    messages.print(f"packing the functions for {architecture}", markup=False)
    return build(fetch_libraries(architecture), file.read_bytes())
