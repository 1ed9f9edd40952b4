"""``partwarden demo``: the main job, shown from nothing to the second mail."""

from __future__ import annotations

import shutil
import sys
import time
from email.message import EmailMessage
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.markup import escape

from partwarden.cli.exits import Exit
from partwarden.cli.grammar import OUTPUT, Output
from partwarden.errors import DemoFailed


def demo(
    *,
    server: Annotated[
        int | None, Parameter(help="PostgreSQL version; default: the newest that has all it needs.")
    ] = None,
    output: Output = OUTPUT,
) -> int:
    """Break a partition set on a private server, and see the mail, the repair, and the second mail.

    Starts the embedded stack (partwarden local), which goes on running. Exit code 0 only if both mails arrived.
    """
    from partwarden.demo import scenario
    from partwarden.local.mailbox import as_screen
    from partwarden.local.stack import Stack, default_home

    out = output.page
    begun = time.monotonic()
    stack = Stack(default_home(), major=server)

    def at() -> str:
        return f"[dim]{time.monotonic() - begun:5.1f} s[/]"

    def show(mail: EmailMessage) -> None:
        colour = "green" if "RESOLVED" in mail["Subject"] else "red"
        out.print(f"{at()}  [bold {colour}]an e-mail arrives[/]\n")
        for line in as_screen(mail).rstrip().splitlines():
            out.print(f"  [{colour}]│[/] {escape(line)}", soft_wrap=True)
        out.print()

    tell = scenario.Narrator(
        step=lambda text: out.print(f"\n[bold]{escape(text)}[/]"),
        line=lambda text: out.print(f"{at()}  {escape(text)}", soft_wrap=True),
        mail=show,
    )
    try:
        scenario.run(stack, tell)
    except DemoFailed as failed:
        out.print(f"\n[bold red]The demo failed:[/] {escape(failed.problem)}")
        if failed.remedy:
            out.print(f"look at it with: {escape(failed.remedy)}")
        output.answer({"mails_arrived": False, "problem": failed.problem, "remedy": failed.remedy})
        return Exit.LEFT
    out.print(f"\n[bold green]Both mails arrived[/], {time.monotonic() - begun:.0f} s from nothing.\n")
    out.print("What to look at next", style="bold")
    us = "partwarden" if shutil.which("partwarden") else str(Path(sys.argv[0]))
    for command, what in (
        (f"{us} serve --local", "all of it as a page: the set, the incident, the repair"),
        (f"{us} local psql", "the database; try: table partwarden.incident; table partwarden.maintenance_run;"),
        (f"ls {stack.mail_folder}", "the mails, as .eml files"),
        (f"{us} local status", "what runs now"),
        (f"{us} local stop", "end it; the data stays"),
        (f"{us} local destroy", "end it and remove everything it made"),
    ):
        out.print(f"  {command:<40} {what}", markup=False, soft_wrap=True)
    output.answer({"mails_arrived": True, "seconds": round(time.monotonic() - begun, 1), "mails": stack.mail_folder})
    return Exit.DONE
