"""Does what a plan says, one transaction a step; stops at the first failure, and can be repeated."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Protocol

from partwarden.config import Config, Database
from partwarden.converting import convert
from partwarden.database import Connection, connect, explained, inspect
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
    ``allow_destroy``, where another apply is at work, or where the plan is no longer the same.
    """
    databases = {database.name: database for database in chosen(config, [each.name for each in plan.databases])}
    done = []
    for planned in plan.databases:
        try:
            _refuse(planned, allow_destroy=allow_destroy)
            with connect(databases[planned.name].conninfo) as connection, _alone(connection, planned.name):
                done.append(
                    _apply(
                        connection, databases[planned.name], planned, tell, wait or Wait(), allow_destroy=allow_destroy
                    )
                )
        except PartwardenError as failure:
            done.append(Applied(planned.name, error=failure, not_done=planned.steps))
    return done


def _refuse(planned: DatabasePlan, *, allow_destroy: bool) -> None:
    if planned.error is not None:
        raise ApplyFailed(planned.error, remedy=planned.remedy or "partwarden plan says more")
    if planned.obstacles:
        first = planned.obstacles[0]
        raise ApplyFailed(
            f"nothing was changed in {planned.name}: {first.object}: {first.problem}", remedy=first.remedy
        )
    destroying = [step for step in planned.steps if step.destroys]
    if destroying and not allow_destroy:
        raise ApplyFailed(
            f"nothing was changed in {planned.name}: {destroying[0].object} would lose something: "
            f"{next(each.text for each in destroying[0].warnings if each.danger == 'destructive')}",
            remedy="if that is meant: --allow-destroy",
        )


@contextmanager
def _alone(connection: Connection, name: str) -> Iterator[None]:
    """One apply at a time for a database; the claim ends with the connection."""
    connection.autocommit = True
    row = connection.execute("select pg_try_advisory_lock(hashtext('partwarden apply'))").fetchone()
    if row != (True,):
        raise ApplyFailed(f"nothing was changed in {name}: another apply is at work there", remedy="wait for it")
    yield


def _apply(
    connection: Connection,
    database: Database,
    planned: DatabasePlan,
    tell: Tell,
    wait: Wait,
    *,
    allow_destroy: bool,
) -> Applied:
    done: list[Step] = []
    deadline = time.monotonic() + wait.timeout if wait.timeout is not None else None
    for _ in range(_ROUNDS):
        fresh = plan_database(database)
        if not done and _what_counts(fresh) != _what_counts(planned):
            raise ApplyFailed(
                f"nothing was changed in {planned.name}: it is no longer as it was when the plan was made",
                remedy="partwarden plan",
            )
        _refuse(fresh, allow_destroy=allow_destroy)
        for number, step in enumerate(fresh.steps):
            tell.begins(planned.name, step)
            try:
                _refuse_late(planned.name, deadline)
                _do(connection, database, step, wait)
            except PartwardenError as failure:
                return Applied(planned.name, tuple(done), step, failure, fresh.steps[number + 1 :])
            done.append(step)
            tell.ends(planned.name, step)
        if fresh.later is None and not any(step.kind is Kind.CONVERSION for step in fresh.steps):
            break
    with explained(f"could not take note of what is applied in {planned.name}", ApplyFailed):
        record(connection, database)
    return Applied(planned.name, tuple(done))


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
    if step.in_cron:
        name = inspect(connection).database
        with (
            open_cron(database.conninfo, name, database.cron_database) as cron,
            explained(attempt, ApplyFailed),
            cron.transaction(),
        ):
            _run(cron, step)
        return
    with explained(attempt, ApplyFailed):
        if step.parent is None:
            with connection.transaction():
                connection.execute("set local lock_timeout = '5s'")
                _run(connection, step)
            return
        in_short_tries(
            connection,
            lambda: _run(connection, step),
            parent=step.parent,
            name=step.object,
            patience=wait,
            tell=_silently,
        )


def _run(connection: Connection, step: Step) -> None:
    connection.execute(
        "select set_config('client_min_messages', 'error', true), set_config('synchronous_commit', 'on', true)"
    )
    for statement in step.statements:
        connection.execute(statement.encode())


def _silently(event: Event) -> None:
    del event
