"""Commands for a trial environment in AWS: make it, put something into it, remove it."""

from __future__ import annotations

import functools
from dataclasses import asdict
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Group, Parameter
from rich.console import Console

from partwarden.cli.aws.options import Profile, Region, Yes
from partwarden.cli.confirm import confirm
from partwarden.cli.exits import Exit
from partwarden.cli.grammar import COMMON, OUTPUT, Common, Output
from partwarden.errors import AwsFailed

if TYPE_CHECKING:
    from partwarden.aws.account import Account
    from partwarden.aws.trial import Plan, Trial

DEFAULT_NAME = "partwarden-trial"

app = App(
    name="trial",
    help="A VPC, an Aurora PostgreSQL with pg_cron, and a way in, to try partwarden in an AWS account: it costs money as "
    "long as it is there.",
    group_commands=Group("Commands", sort_key=0),
    default_parameter=Parameter(negative=(), show_default=False),
)

Name = Annotated[str, Parameter(help="What the stack and its cluster are called.", show_default=True)]


@app.command(sort_key=0)
def up(
    *,
    name: Name = DEFAULT_NAME,
    region: Region = None,
    profile: Profile = None,
    engine_version: Annotated[
        str | None, Parameter(help="Version of Aurora PostgreSQL, as 17.7; default: the one that Aurora takes.")
    ] = None,
    dbname: Annotated[str | None, Parameter(help="The database, where pg_cron lives. [at first: app]")] = None,
    least_acu: Annotated[
        Decimal | None, Parameter(help="Least capacity, in steps of 0.5; 0 pauses the database. [at first: 0.5]")
    ] = None,
    most_acu: Annotated[Decimal | None, Parameter(help="Most capacity. [at first: 2]")] = None,
    vpc_cidr: Annotated[str | None, Parameter(help="Addresses of the VPC. [at first: 10.83.0.0/24]")] = None,
    dry_run: Annotated[bool, Parameter(help="Say what would be made and what it costs; make nothing.")] = False,
    yes: Yes = False,
    output: Output = OUTPUT,
) -> int:
    """Make a trial environment, having said what it costs an hour and asked; again changes only what is asked for.

    Ctrl-C leaves CloudFormation at work; the same command goes on.
    """
    from partwarden.aws import trial
    from partwarden.aws.account import Account
    from partwarden.report.deploy import print_event

    out, messages = output.out, output.messages
    account = Account.of(region, profile)
    wish = trial.Wish(name, engine_version, dbname, least_acu, most_acu, vpc_cidr)
    planned = trial.plan(account, wish, functools.partial(print_event, messages))
    agreed = False
    try:
        _show_plan(out, account, planned)
        if planned.change_set is not None and not dry_run:
            agreed = confirm(messages, "make it?", yes=yes, quiet=output.json)
    finally:
        # Also when Ctrl-C is the answer: a proposal would stand in the console's list for ever.
        if not agreed:
            trial.discard(account, planned)
    answer = {
        "name": planned.name,
        "parameters": planned.parameters,
        "prices": [asdict(each) for each in planned.prices],
    }
    if dry_run or (planned.change_set is not None and not agreed):
        output.answer({**answer, "is_done": planned.change_set is None})
        return Exit.DONE if dry_run else Exit.LEFT
    made = trial.up(account, planned, functools.partial(print_event, messages))
    _show_next(out, made)
    output.answer({**answer, "is_done": True, **_document(made)})
    return Exit.DONE


@app.command(sort_key=1)
def fill(
    *,
    name: Name = DEFAULT_NAME,
    region: Region = None,
    profile: Profile = None,
    common: Common = COMMON,
) -> None:
    """Make pg_partman, pg_cron and the seven partitioned tables of the AWS article, with rows, in its database.

    Without --database it goes through the tunnel that up names.
    """
    from partwarden.aws.sample import fill as fill_now

    named = common.named()
    dsn = named.dsn if named is not None else _trial(name, region, profile).dsn
    with common.waiting("making tables and rows"):
        lines = list(fill_now(dsn))
    for line in lines:
        common.out.print(f"made {line}", markup=False)
    if not lines:
        common.out.print("all is there already; nothing to do")
    common.answer({"made": lines})


@app.command(sort_key=2)
def show(*, name: Name = DEFAULT_NAME, region: Region = None, profile: Profile = None, output: Output = OUTPUT) -> None:
    """Show how to get into the trial environment that is there: the tunnel, and the connection string."""
    found = _trial(name, region, profile)
    _show_next(output.out, found)
    output.answer(_document(found))


@app.command(sort_key=3)
def down(
    *,
    name: Name = DEFAULT_NAME,
    region: Region = None,
    profile: Profile = None,
    dry_run: Annotated[bool, Parameter(help="Say what would be removed; remove nothing.")] = False,
    yes: Yes = False,
    output: Output = OUTPUT,
) -> int:
    """Remove a trial environment with all its data, and say what is left. It has to be detached before: aws destroy."""
    from partwarden.aws import trial
    from partwarden.aws.account import Account
    from partwarden.report.deploy import print_event

    out, messages = output.out, output.messages
    account = Account.of(region, profile)
    leaving = trial.plan_down(account, name)
    if leaving is None:
        out.print(f"there is no stack {name} in {account}; nothing to remove", markup=False)
        _show_left(output, name, tuple(trial.leftovers(account, name)))
        return Exit.DONE
    out.print(f"stack {name} in {account}, with everything in it:", markup=False)
    for each in leaving.stack.resources.values():
        out.print(f"  {each.type:<40} {each.physical_id}", markup=False)
    if dry_run or not confirm(messages, "remove it with all its data?", yes=yes, quiet=output.json):
        output.answer({"name": name, "removed": False})
        return Exit.DONE if dry_run else Exit.LEFT
    left = trial.down(account, name, functools.partial(print_event, messages))
    out.print(f"removed {name}", markup=False)
    _show_left(output, name, left)
    return Exit.DONE


def _trial(name: str, region: str | None, profile: str | None) -> Trial:
    from partwarden.aws import trial
    from partwarden.aws.account import Account

    account = Account.of(region, profile)
    found = trial.look(account, name)
    if found is None:
        raise AwsFailed(f"there is no trial environment {name} in {account}", remedy="partwarden aws trial up")
    return found


def _show_plan(out: Console, account: Account, planned: Plan) -> None:
    from partwarden.aws import prices

    what = "nothing to do" if planned.change_set is None else "as partwarden would make it"
    out.print(f"trial environment {planned.name} in {account}: {what}", markup=False)
    for name, value in sorted(planned.parameters.items()):
        out.print(f"  {name:<18} {value}", markup=False)
    for change in planned.change_set.changes if planned.change_set is not None else ():
        replaced = ", anew: its data is lost" if change.replacement == "True" else ""
        out.print(f"  {change.action.lower():<8} {change.type:<40} {change.logical_id}{replaced}", markup=False)
    out.print("it costs, an hour:")
    for each in planned.prices:
        out.print(f"  {_dollars(each.least, each.most):>16}  {each.what}", markup=False)
    least = sum((each.least for each in planned.prices), Decimal(0))
    most = sum((each.most for each in planned.prices), Decimal(0))
    out.print(f"  {_dollars(least, most):>16}  together; {_dollars(least * 24, most * 24)} a day", markup=False)
    out.print(
        f"  list prices of {prices.REGION} as of {prices.AS_OF} (compare them with today's), in US dollars, "
        "without I/O, traffic and tax; they change, and other regions differ",
        markup=False,
    )


def _dollars(least: Decimal, most: Decimal) -> str:
    low, high = (f"${each:.2f}" if each >= 1 else f"${each:.4f}" for each in (least, most))
    return low if low == high else f"{low} to {high}"


def _show_next(out: Console, made: Trial) -> None:
    out.print(f"cluster     {made.cluster}", markup=False)
    out.print(f"endpoint    {made.endpoint}:5432", markup=False)
    out.print(f"database    {made.database}", markup=False)
    out.print("next:")
    out.print("  1. in a terminal of its own, a tunnel (the AWS CLI and its Session Manager plugin):")
    out.print(f"     {made.tunnel_command}", markup=False)
    out.print("  2. something to look at, and a look:")
    out.print(f"     {made.command('fill')}", markup=False)
    out.print(f"     partwarden check '{made.dsn}'", markup=False)
    out.print("  3. the way of an alert:")
    out.print(f"     {made.aws_command('deploy')} --email YOU@EXAMPLE.COM", markup=False)
    out.print("  4. when it has served: it costs money until then")
    out.print(f"     {made.aws_command('destroy')}", markup=False)
    out.print(f"     {made.command('down')}", markup=False)


def _show_left(output: Output, name: str, left: tuple[str, ...]) -> None:
    for each in left:
        output.out.print(f"left: {each}", markup=False)
    if not left:
        output.out.print("nothing of it is left")
    output.answer({"name": name, "removed": True, "left": left})


def _document(made: Trial) -> dict[str, object]:
    return {**asdict(made), "dsn": made.dsn, "tunnel_command": made.tunnel_command}
