"""The command line: parse, call, print."""

from __future__ import annotations

import sys

from cyclopts import App, Group, Parameter

import partwarden
from partwarden.cli import aws, check, database, drain, explain, incidents, local, repair, validate
from partwarden.cli.demo import demo
from partwarden.cli.plan import apply, plan
from partwarden.cli.program import run

_look = Group("Look, with nothing installed", sort_key=0)
_as_code = Group("As the file says", sort_key=1)
_repair = Group("Repair, with nothing installed", sort_key=2)
_in_database = Group("In a database", sort_key=3)
_in_aws = Group("In AWS", sort_key=4)
_on_this_machine = Group("On this machine", sort_key=5)

app = App(
    name="partwarden",
    help="Keep interval-partitioned PostgreSQL tables maintained, and hear of it once, with cause and cure, when they "
    "are not.\n\nExit codes: 0 done, 1 it ran and something is left to do or not well, 2 (check) critical or (plan) "
    "something would change, 3 it could not be done, 130 interrupted.",
    version=partwarden.__version__,
    version_flags=["--version"],
    help_flags=["--help", "-h"],
    group_commands=_on_this_machine,
    default_parameter=Parameter(negative=()),
)
app.command(check.check, group=_look, sort_key=0)
app.command(explain.checks, group=_look, sort_key=1)
app.command(explain.explain, group=_look, sort_key=2)
app.command(validate.validate, group=_as_code, sort_key=1)
app.command(plan, group=_as_code, sort_key=2)
app.command(apply, group=_as_code, sort_key=3)
app.command(repair.repair, group=_repair, sort_key=0)
app.command(drain.drain, group=_repair, sort_key=1)
app.command(database.install, group=_in_database, sort_key=0)
app.command(database.schedule, group=_in_database, sort_key=1)
app.command(database.unschedule, group=_in_database, sort_key=2)
app.command(database.uninstall, group=_in_database, sort_key=3)
incidents.app.group = _in_database
app.command(incidents.app)
aws.app.group = _in_aws
app.command(aws.app)
app.command(demo, group=_on_this_machine, sort_key=0)
local.app.group = _on_this_machine
app.command(local.app)
app["--help"].group = app["--version"].group = Group("Options", sort_key=9)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and leave with its exit code; every error is said in one place, and says what to do next."""
    sys.exit(run(app, sys.argv[1:] if arguments is None else arguments))
