"""Commands for the embedded stack on this machine. Its parts are imported when they are wanted: nobody else needs them."""

from __future__ import annotations

import os
import shutil
from dataclasses import asdict
from typing import Annotated

from cyclopts import App, Group, Parameter

from partwarden.cli.confirm import confirm
from partwarden.cli.database import Word
from partwarden.cli.exits import Exit
from partwarden.cli.grammar import COMMON, OUTPUT, Common, Output
from partwarden.database import connect
from partwarden.errors import NotInstalled, StackFailed

app = App(
    name="local",
    help="A private PostgreSQL with pg_partman and pg_cron, a local AWS and a mailbox, to try things and for tests.\n\n"
    "All of it listens on 127.0.0.1 only and lives in one folder: PARTWARDEN_HOME, by default /var/lib/partwarden for "
    "root and ~/.local/share/partwarden for others.",
    group_commands=Group("Commands", sort_key=0),
    default_parameter=Parameter(negative=()),
)


@app.command(sort_key=0)
def start(
    *,
    server: Annotated[
        int | None, Parameter(help="PostgreSQL version; default: the newest that has all it needs.")
    ] = None,
    port: Annotated[int | None, Parameter(help="Port on 127.0.0.1; default: a free one.")] = None,
    output: Output = OUTPUT,
) -> None:
    """Start the stack; the first time, make it. Starting it again reuses what is there."""
    from partwarden.local.stack import (
        DATABASE,
        Stack,
        default_home,
    )

    stack = Stack(default_home(), major=server, port=port)
    target = stack.start(lambda line: output.messages.print(line, markup=False))
    out = output.out
    out.print(f"partwarden local psql           a session in database {DATABASE}, as its owner")
    out.print(f"database    {stack.owner_dsn}", markup=False)
    out.print(f"lambda      {target.lambda_arn}", markup=False)
    out.print(f"topic       {target.topic_arn}", markup=False)
    output.answer({"dsn": stack.owner_dsn, "lambda_arn": target.lambda_arn, "topic_arn": target.topic_arn})


@app.command(sort_key=3)
def stop(*, output: Output = OUTPUT) -> None:
    """Stop the stack. Data and mails stay; the local AWS forgets what it knew."""
    from partwarden.local.stack import Stack, default_home

    stopped = Stack(default_home()).stop()
    output.out.print(f"stopped {', '.join(stopped)}" if stopped else "nothing was running")
    output.answer({"stopped": stopped})


@app.command(sort_key=1)
def status(*, output: Output = OUTPUT) -> int:
    """Show which parts run, and where. Exit code 0 when all do, 1 when not."""
    from partwarden.local.stack import Stack, default_home

    out = output.out
    found = Stack(default_home()).status()
    out.print(f"home        {found.home}", markup=False)
    if found.server is None:
        out.print("PostgreSQL  not made yet: partwarden local start")
    else:
        for runs, what in (
            (found.server_runs, str(found.server)),
            (found.aws_endpoint is not None, f"local AWS {found.aws_endpoint or ''}"),
            (found.mailbox_runs, f"mailbox, mails in {found.mailbox_folder}"),
        ):
            out.print(f"{'running' if runs else 'stopped'}     {what}", markup=False)
    output.answer(asdict(found))
    return Exit.DONE if found.server_runs and found.aws_endpoint and found.mailbox_runs else Exit.LEFT


@app.command(sort_key=2)
def psql(
    *arguments: Annotated[str, Parameter(allow_leading_hyphen=True, help="Anything that psql takes, after --.")],
    superuser: Annotated[bool, Parameter(help="As the superuser instead of the tables' owner.")] = False,
) -> None:
    """Open psql in the embedded database."""
    from partwarden.local.cluster import SUPERUSER
    from partwarden.local.stack import DATABASE, OWNER, Stack, default_home

    stack = Stack(default_home())
    if not stack.exists or not stack.cluster().is_running():
        raise StackFailed("the embedded stack is not running", remedy="partwarden local start")
    program = shutil.which("psql")
    if program is None:
        raise NotInstalled("psql is not on this machine", remedy="sudo apt-get install postgresql-client")
    dsn = stack.cluster().dsn(DATABASE, SUPERUSER if superuser else OWNER)
    os.execv(program, [program, dsn, *arguments])  # noqa: S606 - a full path and no shell


@app.command(sort_key=4)
def destroy(
    *, yes: Annotated[bool, Parameter(name=["--yes", "-y"], help="Do not ask.")] = False, output: Output = OUTPUT
) -> int:
    """Stop the stack and remove everything it ever made, its data and its mails."""
    from partwarden.local.stack import Stack, default_home

    home = default_home()
    if home.exists() and not confirm(output.messages, f"remove {home} with all its data?", yes=yes, quiet=output.json):
        output.out.print("nothing was removed")
        return Exit.LEFT
    removed = Stack(home).destroy()
    output.out.print(f"removed {home}" if removed else "there is nothing to remove", markup=False)
    output.answer({"home": home, "removed": removed})
    return Exit.DONE


@app.command(name="install-aws-lambda", sort_key=5)
def install_lambda(
    database: Word = None,
    /,
    *,
    remove: Annotated[bool, Parameter(help="Take it out again.")] = False,
    common: Common = COMMON,
) -> None:
    """Give a plain PostgreSQL the functions of RDS's aws_lambda extension, to test procedures that call them.

    Needs a superuser, PL/Python and botocore on the server: docs/aws-lambda-for-postgresql.md.
    """
    from partwarden.local.aws_lambda import install_aws_lambda, uninstall_aws_lambda

    out = common.out
    schemas = ["aws_lambda", "aws_commons"]
    with connect(common.one_database(database, must_be_named=True).dsn, timeout=common.timeout) as connection:
        if remove:
            uninstall_aws_lambda(connection)
            out.print("removed schemas aws_lambda and aws_commons")
            common.answer({"removed": schemas})
            return
        install_aws_lambda(connection)
    out.print("installed schemas aws_lambda and aws_commons; point them at an endpoint with")
    out.print("  set aws_lambda.endpoint_override = 'http://127.0.0.1:4566';", markup=False)
    common.answer({"installed": schemas})
