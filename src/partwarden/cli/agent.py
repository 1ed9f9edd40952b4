"""The command that carries notifications to channels."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from partwarden.cli import completion
from partwarden.cli.duration import seconds
from partwarden.cli.exits import Exit
from partwarden.cli.grammar import COMMON, Common
from partwarden.cli.naming import Named
from partwarden.dsn import label, without_secrets

if TYPE_CHECKING:
    from partwarden.channels.tally import Tally


def agent(
    *databases: Annotated[
        str,
        Parameter(name="DATABASE", completer=completion.databases, help="Which databases; all of the file without."),
    ],
    once: Annotated[bool, Parameter(help="Do what is due now, and end: for cron.", negative=())] = False,
    poll: Annotated[str, Parameter(help="A database that says nothing is asked so often.")] = "10s",
    common: Common = COMMON,
) -> int:
    """Take the notifications of databases to the file's channels, until it is ended; and keep their schedule without pg_cron.

    Several may run at once: they share the work. SIGTERM and Ctrl-C end it when what is being sent is sent. Exit code, with
    --once: 0 all went out, 1 something could not be told or done and is tried again, 3 a database could not be worked on.
    """
    from partwarden.channels.agent import Agent, Served

    config = common.file()
    served = [Served(_name(each), each.dsn, each.described) for each in common.databases(*databases)]
    messages = common.messages

    def tell(where: str, what: str) -> None:
        now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
        line = "".join(character if character.isprintable() else " " for character in without_secrets(what))
        messages.print(f"{now}  {where:<12}  {line}", markup=False)

    work = Agent(served, config.channels, tell, poll=max(seconds("--poll", poll), 0.05))
    if not once:
        work.run(_ended())
        return Exit.DONE
    tallies = work.once()
    for tally in tallies:
        common.out.print(f"{tally.database}: {_words(tally)}", markup=False)
    common.answer({"databases": [asdict(tally) for tally in tallies]})
    if any(tally.error for tally in tallies):
        return Exit.FAILED
    return Exit.DONE if all(tally.is_well for tally in tallies) else Exit.LEFT


def _name(named: Named) -> str:
    return named.name or label(named.dsn)


def _words(tally: Tally) -> str:
    if tally.error is not None:
        return without_secrets(tally.error)
    parts = [f"told {tally.told}"]
    if tally.failed:
        parts.append(f"could not tell {tally.failed}, which is tried again")
    if tally.waiting > tally.failed:
        parts.append(f"{tally.waiting} wait")
    return without_secrets("; ".join([*parts, *tally.problems]))


def _ended() -> threading.Event:
    """An event that is set by the first SIGTERM or Ctrl-C; a second one ends the process at once."""
    ended = threading.Event()
    before: dict[int, Callable[..., object] | int | None] = {}

    def end(_number: int, _frame: object) -> None:
        ended.set()
        for each, handler in before.items():
            signal.signal(each, handler if callable(handler) else signal.SIG_DFL)

    for number in (signal.SIGTERM, signal.SIGINT):
        before[number] = signal.signal(number, end)
    return ended
