"""Does what a plan says, one transaction a step; stops at the first failure, and can be repeated."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import Protocol

from partwarden.config import Config, Database
from partwarden.converting import convert
from partwarden.database import Connection, connect, explained, inspect, write_plainly
from partwarden.draining.events import Event
from partwarden.draining.locks import in_short_tries
from partwarden.errors import ApplyFailed, PartwardenError
from partwarden.install import install
from partwarden.planning.plan import chosen, plan_database
from partwarden.planning.record import record
from partwarden.planning.steps import DatabasePlan, Kind, Plan, Step
from partwarden.schedule import open_cron


class Tell(Protocol):
    """Is told of each step, by the database's name."""

    def begins(self, database: str, step: Step) -> None:
        """The step is being done now."""

    def ends(self, database: str, step: Step) -> None:
        """It is done."""


_ROUNDS = 3
"""What comes to light only after the first steps is planned again: extensions first, then what they bring."""


@dataclass(frozen=True)
class Wait:
    """How long to wait for a lock, in seconds: in one try, and with it whoever comes after us; and altogether.

    After ``timeout`` seconds in a database nothing new is begun there.
    """

    lock_timeout: float = 0.01
    window: float = 60
    timeout: float | None = None


@dataclass(frozen=True)
class Applied:
    """How it went in one database. ``not_done`` are the steps after the one that failed; ``failed`` and ``error`` are it."""

    name: str
    done: tuple[Step, ...] = ()
    failed: Step | None = None
    error: PartwardenError | None = None
    not_done: tuple[Step, ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether the database is now as the file wants it."""
        return self.error is None


def apply(
    config: Config, plan: Plan, tell: Tell, *, wait: Wait | None = None, allow_destroy: bool = False
) -> list[Applied]:
    """Do what the plan says, database by database; one that can't be reached or fails is no reason to leave out the others.

    Nothing is begun in a database where the file asks for what can't be, where something would be destroyed without
    ``allow_destroy``, on a standby, where another apply is at work, or where the plan is no longer the same.
    """
    databases = {database.name: database for database in chosen(config, [each.name for each in plan.databases])}
    return [
        _Work(databases[planned.name], planned, tell, wait or Wait(), allow_destroy).outcome()
        for planned in plan.databases
    ]


@dataclass
class _Work:
    """What is done in one database: ``done``, what is being done now, and what is still ahead."""

    database: Database
    planned: DatabasePlan
    tell: Tell
    wait: Wait
    allow_destroy: bool
    done: list[Step] = field(default_factory=list)
    now: Step | None = None
    ahead: tuple[Step, ...] = ()

    def outcome(self) -> Applied:
        """Do it, and tell how it went."""
        self.ahead = self.planned.steps
        try:
            self._refuse(self.planned)
            with (
                explained(f"could not go on in {self.planned.name}", ApplyFailed),
                connect(self.database.conninfo) as connection,
            ):
                self._claim(connection)
                self._do_all(connection)
        except PartwardenError as failure:
            return Applied(self.planned.name, tuple(self.done), self.now, failure, self.ahead)
        return Applied(self.planned.name, tuple(self.done))

    def _claim(self, connection: Connection) -> None:
        """One apply at a time for a database; the claim ends with the connection."""
        connection.autocommit = True
        write_plainly(connection)
        if inspect(connection).in_recovery:
            raise ApplyFailed(
                f"{self._so_far()}: this server is a standby", remedy="name its primary; the standby will follow"
            )
        row = connection.execute("select pg_try_advisory_lock(hashtext('partwarden apply'))").fetchone()
        if row != (True,):
            raise ApplyFailed(f"{self._so_far()}: another apply is at work there", remedy="wait for it")

    def _do_all(self, connection: Connection) -> None:
        deadline = time.monotonic() + self.wait.timeout if self.wait.timeout is not None else None
        for _ in range(_ROUNDS):
            fresh = plan_database(self.database, timeout=self.wait.timeout)
            if not self.done and _what_counts(fresh) != _what_counts(self.planned):
                raise ApplyFailed(
                    f"{self._so_far()}: it is no longer as it was when the plan was made", remedy="partwarden plan"
                )
            self._refuse(fresh)
            for number, step in enumerate(fresh.steps):
                self.now, self.ahead = step, fresh.steps[number + 1 :]
                self.tell.begins(self.planned.name, step)
                _refuse_late(self.planned.name, deadline)
                _do(connection, self.database, step, self.wait)
                self.done.append(step)
                self.now = None
                self.tell.ends(self.planned.name, step)
            if fresh.later is None and not any(step.kind is Kind.CONVERSION for step in fresh.steps):
                break
        with explained(f"could not take note of what is applied in {self.planned.name}", ApplyFailed):
            record(connection, self.database)

    def _refuse(self, plan: DatabasePlan) -> None:
        if plan.error is not None:
            raise ApplyFailed(plan.error, remedy=plan.remedy or "partwarden plan says more")
        if plan.obstacles:
            first = plan.obstacles[0]
            raise ApplyFailed(f"{self._so_far()}: {first.object}: {first.problem}", remedy=first.remedy)
        destroying = [step for step in plan.steps if step.destroys]
        if destroying and not self.allow_destroy:
            raise ApplyFailed(
                f"{self._so_far()}: {destroying[0].object} would lose something: "
                f"{next(each.text for each in destroying[0].warnings if each.danger == 'destructive')}",
                remedy="if that is meant: --allow-destroy",
            )

    def _so_far(self) -> str:
        return f"nothing {'more ' if self.done else ''}was changed in {self.planned.name}"


def _what_counts(planned: DatabasePlan) -> list[object]:
    """What must still be so when the plan is carried out. The statements of a conversion depend on the newest row."""
    return [(step.kind, step.wish) if step.kind is Kind.CONVERSION else step for step in planned.steps]


def _refuse_late(name: str, deadline: float | None) -> None:
    if deadline is not None and time.monotonic() > deadline:
        raise ApplyFailed(f"the time for {name} is over", remedy="partwarden apply goes on where this one has ended")


def _do(connection: Connection, database: Database, step: Step, wait: Wait) -> None:
    if step.kind is Kind.INSTALLATION:
        install(connection)
        return
    if step.wish is not None:
        convert(
            database.conninfo, replace(step.wish, lock_timeout=wait.lock_timeout, window=wait.window), lambda _: None
        )
        return
    attempt = f"could not do this to {step.object}: {step.summary or step.action}"
    if step.cron_database is not None:
        with (
            explained(attempt, ApplyFailed),
            open_cron(database.conninfo, step.cron_database, step.cron_database) as cron,
            cron.transaction(),
        ):
            _run_with_patience(cron, step)
        return
    with explained(attempt, ApplyFailed):
        if step.parent is None:
            with connection.transaction():
                _run_with_patience(connection, step)
            return
        in_short_tries(
            connection,
            lambda: _run(connection, step),
            parent=step.parent,
            name=step.object,
            patience=wait,
            tell=_silently,
        )


def _run_with_patience(connection: Connection, step: Step) -> None:
    connection.execute("set local lock_timeout = '5s'")
    _run(connection, step)


def _run(connection: Connection, step: Step) -> None:
    connection.execute(
        "select set_config('client_min_messages', 'error', true), set_config('synchronous_commit', 'on', true)"
    )
    for statement in step.statements:
        connection.execute(statement.encode())


def _silently(event: Event) -> None:
    del event
