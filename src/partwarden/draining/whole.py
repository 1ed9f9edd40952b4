"""The whole default partition belongs into one interval: it becomes that partition, and nothing is copied."""

from __future__ import annotations

import time

from partwarden.draining.events import Finished, Step, Tell
from partwarden.draining.locks import in_short_tries
from partwarden.draining.plan import BIG_BYTES, Drain, Method, Plan
from partwarden.draining.session import Session


def attach(session: Session, wish: Drain, plan: Plan, tell: Tell) -> Finished:
    """Do what ``plan`` says, in one transaction; psycopg.errors.CheckViolation when other rows have come meanwhile."""
    started = time.monotonic()
    interval = plan.intervals[0]
    if plan.default.heap_bytes > BIG_BYTES:
        tell(Step("proving where its rows belong"))
        _prove(session, wish, plan, tell)
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


def clear(session: Session, wish: Drain, tell: Tell) -> None:
    """Remove what an interrupted run has left on the default partition; nothing, mostly."""
    row = session.connection.execute(
        "select to_regclass(format('%%I.%%I', schema, prefix || '_whole_seen')) is not null from pg_temp.swap_names(%s)",
        (session.parent,),
    ).fetchone()
    if row == (True,):
        in_short_tries(
            session.connection,
            lambda: session.call("whole_clear", session.parent),
            parent=session.parent,
            name=session.name,
            patience=wish,
            tell=tell,
        )


def _prove(session: Session, wish: Drain, plan: Plan, tell: Tell) -> None:
    """Have PostgreSQL know where the rows belong, so that it need not read them under the lock."""
    interval = plan.intervals[0]
    in_short_tries(
        session.connection,
        lambda: session.call("whole_place", session.parent, wish.interval, interval.lower_bound, interval.upper_bound),
        parent=session.parent,
        name=session.name,
        patience=wish,
        tell=tell,
        kept=(plan.default.name,),
    )
    with session.connection.transaction():
        session.call("whole_validate", session.parent)
