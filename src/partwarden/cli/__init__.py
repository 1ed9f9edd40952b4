"""The command line: parse, call, print."""

from __future__ import annotations

import logging
import sys
from typing import Annotated

import psycopg
from cyclopts import App, CycloptsError, Group, Parameter
from rich.console import Console

import partwarden
from partwarden.cli import aws, check, database, drain, explain, incidents, local, repair
from partwarden.cli.demo import demo
from partwarden.errors import PartwardenError

COULD_NOT_TELL = 3
INTERRUPTED = 130

_look = Group("Look, with nothing installed", sort_key=0)
_repair = Group("Repair, with nothing installed", sort_key=1)
_in_database = Group("In a database", sort_key=2)
_in_aws = Group("In AWS", sort_key=3)
_on_this_machine = Group("On this machine", sort_key=4)

app = App(
    name="partwarden",
    help="Keep interval-partitioned PostgreSQL tables maintained, and hear of it once, with cause and cure, when they "
    "are not.\n\nExit codes: 0 done, 1 the command ran and what it shows is not well, 2 (of check) critical, 3 it could "
    "not be done.",
    version=partwarden.__version__,
    version_flags=["--version"],
    help_flags=["--help", "-h"],
    group_commands=_on_this_machine,
    default_parameter=Parameter(negative=()),
)
app.command(check.check, group=_look, sort_key=0)
app.command(explain.checks, group=_look, sort_key=1)
app.command(explain.explain, group=_look, sort_key=2)
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


def main(arguments: Annotated[list[str] | None, Parameter(parse=False)] = None) -> None:
    """Run the command line and leave with its exit code; an error is said in one place, without a traceback."""
    # What psycopg says of a connection that Ctrl-C has ended is nobody's concern.
    logging.getLogger("psycopg").addHandler(logging.NullHandler())
    errors = Console(stderr=True, highlight=False, soft_wrap=True)
    try:
        result = app(
            arguments, print_error=True, exit_on_error=False, result_action="return_value", error_console=errors
        )
    except CycloptsError:
        sys.exit(COULD_NOT_TELL)
    except PartwardenError as error:
        errors.print("[bold red]error:[/] ", end="")
        errors.print(error.problem, markup=False)
        if error.remedy:
            errors.print("[bold]next:[/]  ", end="")
            errors.print(error.remedy, markup=False)
        sys.exit(COULD_NOT_TELL)
    except psycopg.Error as error:
        errors.print("[bold red]error:[/] the server says: ", end="")
        errors.print(str(error).strip(), markup=False)
        sys.exit(COULD_NOT_TELL)
    except KeyboardInterrupt:
        errors.print("interrupted")
        sys.exit(INTERRUPTED)
    sys.exit(result if isinstance(result, int) else 0)
