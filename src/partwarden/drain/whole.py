"""The whole default partition belongs into one interval: it becomes that partition, and nothing is copied."""

from __future__ import annotations

import time

from partwarden.drain.events import Finished, Step, Tell
from partwarden.drain.locks import in_short_tries
from partwarden.drain.plan import Drain, Method, Plan
from partwarden.drain.session import Session


def attach(session: Session, wish: Drain, plan: Plan, tell: Tell) -> Finished:
    """Do what ``plan`` says, in one transaction; psycopg.errors.CheckViolation when other rows have come meanwhile."""
    started = time.monotonic()
    interval = plan.intervals[0]
    tell(Step("making the default partition the one that its rows belong into"))

    def become() -> float:
        session.connection.execute(f"lock table only {session.name} in access exclusive mode".encode())
        locked = time.monotonic()
        session.call(
            "attach_default", session.parent, wish.interval, interval.lower_bound, interval.upper_bound, interval.child
        )
        return (time.monotonic() - locked) * 1000

    locked = in_short_tries(
        session.connection,
        become,
        parent=session.parent,
        name=session.name,
        patience=wish,
        tell=tell,
        kept=(plan.default.name,),
    )
    return Finished(Method.ATTACH, plan.rows, 1, 0, time.monotonic() - started, locked)
