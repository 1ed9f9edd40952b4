"""What is killed: a command from outside, or a call inside the database; each can be run again until it has come to an end."""

from __future__ import annotations

import json
import random
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import psycopg

from partwarden.database import Connection
from tests.kills.nursery import Command, Nursery
from tests.kills.shapes import AHEAD, ILL, KEYLESS, PARENT, REFERENCED, RICH, Shape
from tests.kills.world import World

_SOME_ROWS_STAY = 1
_COULD_NOT_BE_DONE = 3
_INTERRUPTED = 130

_CONNECTION_IS_LOST = (
    "the connection was lost",
    "could not connect",
    "the connection is closed",
    "terminating connection",
    "server closed the connection unexpectedly",
)


class Run(Protocol):
    """Something at work that can be killed."""

    def wait(self, seconds: float) -> bool:
        """Whether it has ended, at last after so many seconds."""

    def place(self) -> str:
        """How far it has come, in a word or two."""

    def said(self) -> str:
        """All that it has said."""

    def has_done_it(self) -> bool:
        """Whether it has ended as it does when nobody disturbs it. Fails where it has ended as it must never end."""
        ...


@dataclass
class CommandRun:
    """A command of ``partwarden``, as a process."""

    nursery: Nursery
    command: Command
    expected: int

    def wait(self, seconds: float) -> bool:
        return self.nursery.wait(self.command, max(seconds, 0)) is not None

    def place(self) -> str:
        place = "starting"
        for line in self.command.lines():
            try:
                event = json.loads(line)
            except ValueError:
                continue
            place = event.get("name") or (event.get("step") if event["event"] == "progress" else None) or event["event"]
        return str(place)

    def said(self) -> str:
        return "\n".join(self.command.lines())

    def has_done_it(self) -> bool:
        said = self.said()
        assert "Traceback" not in said, said
        status = self.command.status
        if self.is_told_to_wait:
            return False
        killed = {-signal.SIGKILL, -signal.SIGINT, _SOME_ROWS_STAY, _COULD_NOT_BE_DONE, _INTERRUPTED}
        assert status in {self.expected} | killed, f"status {status}: {said}"
        if status not in {self.expected, -signal.SIGKILL, -signal.SIGINT, _INTERRUPTED}:
            assert any(lost in said for lost in _CONNECTION_IS_LOST), said
        return status == self.expected

    @property
    def is_told_to_wait(self) -> bool:
        """Whether what was killed is still at work in the server, and this one has been refused because of that."""
        return self.command.status != self.expected and "another drain works on it" in self.said()


class CallRun:
    """A procedure that is called by a connection of its own."""

    def __init__(self, dsn: str, statement: str) -> None:
        self._error: psycopg.Error | None = None
        self._thread = threading.Thread(target=self._call, args=(dsn, statement))
        self._thread.start()

    def wait(self, seconds: float) -> bool:
        self._thread.join(max(seconds, 0))
        return not self._thread.is_alive()

    def place(self) -> str:
        return "calling"

    def said(self) -> str:
        return str(self._error or "")

    def has_done_it(self) -> bool:
        if isinstance(self._error, psycopg.OperationalError):
            return False
        if self._error is not None:
            raise self._error
        return True

    def _call(self, dsn: str, statement: str) -> None:
        try:
            with psycopg.connect(dsn, autocommit=True, application_name="partwarden") as connection:
                connection.execute(statement.encode())
        except psycopg.Error as error:
            self._error = error


Weapon = Callable[[World, Run, random.Random], None]


def kill_the_client(world: World, run: Run, dice: random.Random) -> None:
    """The process is gone without a word; what it has asked of the server may go on for a while."""
    assert isinstance(run, CommandRun)
    run.command.signal(signal.SIGKILL)


def interrupt_the_client(world: World, run: Run, dice: random.Random) -> None:
    """Ctrl-C."""
    assert isinstance(run, CommandRun)
    run.command.signal(signal.SIGINT)


def terminate_a_backend(world: World, run: Run, dice: random.Random) -> None:
    """One of the connections that do something is ended by an administrator, as soon as there is one."""
    with psycopg.connect(world.server.cluster.dsn(), autocommit=True) as connection:
        while not (pids := _backends(connection, world)):
            if run.wait(0.002):
                return
        connection.execute("select pg_terminate_backend(%s)", (dice.choice(pids),))


def crash_the_server(world: World, run: Run, dice: random.Random) -> None:
    """All processes of the server are gone at once; it comes back with what was committed."""
    world.crash()


def _backends(connection: Connection, world: World) -> list[int]:
    rows = connection.execute(
        "select pid from pg_stat_activity where datname = %s and application_name = 'partwarden'",
        (world.database.name,),
    ).fetchall()
    return [pid for (pid,) in rows]


@dataclass(frozen=True)
class Work:
    """What is run and killed, in which shape of a set, and how often by what."""

    name: str
    shape: Shape
    start: Callable[[World, Nursery], Run]
    kills: dict[Weapon, int]

    def run_to_the_end(self, world: World, nursery: Nursery, seconds: float = 60) -> Run:
        """Run it, undisturbed; whoever has been killed just now may have to be waited for."""
        deadline = time.monotonic() + seconds
        while True:
            run = self.start(world, nursery)
            assert run.wait(deadline - time.monotonic()), f"{self.name} has not ended after {seconds} s: {run.said()}"
            if run.has_done_it():
                return run
            assert isinstance(run, CommandRun)
            assert run.is_told_to_wait, run.said()
            time.sleep(0.02)


def _drain(method: str, *options: str, expected: int = 0) -> Callable[[World, Nursery], Run]:
    def start(world: World, nursery: Nursery) -> Run:
        command = nursery.start("drain", PARENT, "-d", world.database.owner_dsn, "--json", "--method", method, *options)
        return CommandRun(nursery, command, expected)

    return start


def _repair(world: World, nursery: Nursery) -> Run:
    command = nursery.start("repair", PARENT, "-d", world.database.owner_dsn, "--json", "--yes")
    return CommandRun(nursery, command, expected=0)


def _call(statement: str) -> Callable[[World, Nursery], Run]:
    def start(world: World, _: Nursery) -> Run:
        return CallRun(world.database.owner_dsn, statement)

    return start


DRAIN_BY_SWAP = Work(
    "drain-by-swap",
    RICH,
    _drain("swap", "--max-new-partitions", "50", expected=_SOME_ROWS_STAY),
    {kill_the_client: 4, interrupt_the_client: 3, terminate_a_backend: 5, crash_the_server: 2},
)
DRAIN_IN_BATCHES = Work(
    "drain-in-batches",
    REFERENCED,
    _drain("batch"),
    {kill_the_client: 2, interrupt_the_client: 1, terminate_a_backend: 2, crash_the_server: 1},
)
WORKS = (
    DRAIN_BY_SWAP,
    Work(
        "drain-by-swap-without-a-key",
        KEYLESS,
        _drain("swap", "--max-new-partitions", "50", "--jobs", "3", expected=_SOME_ROWS_STAY),
        {kill_the_client: 2, interrupt_the_client: 1, terminate_a_backend: 2, crash_the_server: 1},
    ),
    DRAIN_IN_BATCHES,
    Work(
        "drain-inside-the-database",
        REFERENCED,
        _call(f"call partwarden.drain('{PARENT}')"),
        {terminate_a_backend: 3, crash_the_server: 1},
    ),
    Work(
        "repair",
        ILL,
        _repair,
        {kill_the_client: 2, interrupt_the_client: 1, terminate_a_backend: 2, crash_the_server: 1},
    ),
    Work("maintain", AHEAD, _call("call partwarden.maintain()"), {terminate_a_backend: 3, crash_the_server: 1}),
)
"""Some 40 kills on each server; those at every step and at every statement make it 200 on three."""
