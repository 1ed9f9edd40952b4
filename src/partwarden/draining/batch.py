"""The rows of one interval at a time, each in a transaction: they are in the default partition, or in the new one."""

from __future__ import annotations

import time

from partwarden.draining.events import Finished, Progress, Step, Tell
from partwarden.draining.locks import in_short_tries
from partwarden.draining.plan import Drain, Interval, Method, Plan
from partwarden.draining.session import Session

_STEP = "moving rows"


def move(session: Session, wish: Drain, plan: Plan, tell: Tell) -> Finished:
    """Do what ``plan`` says, interval by interval. Killed in between, a second run does the rest."""
    started = time.monotonic()
    moved = 0
    locked = 0.0
    tell(Step(_STEP))
    for interval in sorted(plan.intervals, key=lambda each: each.distance):
        rows, milliseconds = in_short_tries(
            session.connection,
            lambda interval=interval: _move_one(session, wish, interval),  # type: ignore[misc]
            parent=session.parent,
            name=session.name,
            patience=wish,
            tell=tell,
            kept=(plan.default.name,),
        )
        moved += rows
        locked = max(locked, milliseconds)
        tell(Progress(_STEP, moved, max(plan.rows, moved)))
    session.call("validate_references", session.parent)
    return Finished(Method.BATCH, moved, len(plan.intervals), plan.rows_staying, time.monotonic() - started, locked)


def _move_one(session: Session, wish: Drain, interval: Interval) -> tuple[int, float]:
    # The first lock is the parent's: from then on others wait.
    session.connection.execute(f"lock table only {session.name} in access exclusive mode".encode())
    locked = time.monotonic()
    rows = session.call(
        "drain_interval", session.parent, wish.interval, interval.lower_bound, interval.upper_bound, interval.child
    )
    return int(rows), (time.monotonic() - locked) * 1000
