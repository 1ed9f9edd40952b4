"""From a wish to an empty default partition: look, refuse, go on with what was begun, do it, look again."""

from __future__ import annotations

import time
from dataclasses import replace

import psycopg

from partwarden.draining import batch, swap, whole
from partwarden.draining.events import Finished, Planned, Tell, tell_nobody
from partwarden.draining.locks import Holder, holders, refuse_long_holders
from partwarden.draining.plan import Drain, Method, Plan, make_plan, obstacle_to_attach, obstacle_to_swap
from partwarden.draining.session import Session, open_session, refusals
from partwarden.errors import DrainRefused

_BEGIN_ANEW = "PW001"
"""What ``swap_refuse_changed`` raises: the default partition is not any more what has been copied."""

_TIMES = 3


def look(dsn: str, wish: Drain) -> tuple[Plan, list[Holder]]:
    """What a drain would do, and who holds a lock on the set now. Changes nothing."""
    with open_session(dsn, wish.parent) as session, refusals(session.name):
        session.call("refuse_drain", session.parent)
        return make_plan(session, wish), holders(session.connection, session.parent)


def drain(dsn: str, wish: Drain, tell: Tell = tell_nobody) -> Finished:
    """Move every row that can be moved; go on with what an interrupted run has begun. ``tell`` hears of each step.

    Raises DrainRefused and its kind. Whatever ends it, no row is lost or twice there, and a second call goes on.
    """
    with open_session(dsn, wish.parent) as session, refusals(session.name):
        _claim(session)
        session.call("refuse_drain", session.parent)
        session.call("validate_references", session.parent)
        whole.clear(session, wish, tell)
        finished = _finish_what_was_begun(dsn, session, wish, tell)
        for _ in range(_TIMES):
            plan = make_plan(session, wish)
            _refuse_unfit(session, wish, plan)
            if finished is None or plan.rows:
                tell(Planned(plan))
            if not plan.rows:
                break
            refuse_long_holders(session.connection, session.parent, session.name, wish)
            done = _do(dsn, session, wish, plan, tell)
            finished = done if finished is None else finished.plus(done)
        if finished is None:
            return Finished(plan.method, 0, 0, plan.rows_staying, 0, 0)
        session.call("note_repair", session.parent, finished.partitions_made, finished.rows_moved)
        return replace(finished, rows_staying=plan.rows_staying)


def abandon(dsn: str, wish: Drain, tell: Tell) -> bool:
    """Take back what an interrupted swap has left; False when there is nothing. The set is as it was before."""
    with open_session(dsn, wish.parent) as session, refusals(session.name):
        _claim(session)
        whole.clear(session, wish, tell)
        if not swap.begun(session):
            return False
        swap.abandon(session, wish, tell)
        return True


def _claim(session: Session) -> None:
    """One drain at a time for a set; the claim ends with the connection."""
    row = session.connection.execute(
        "select pg_try_advisory_lock(hashtext('partwarden drain'), %s::oid::text::bigint::bit(32)::integer)",
        (session.parent,),
    ).fetchone()
    if row == (True,):
        return
    other = session.connection.execute(
        "select pid from pg_locks where locktype = 'advisory' and granted and classid = hashtext('partwarden drain')::oid"
        " and objid = %s and objsubid = 2 and database = (select oid from pg_database where datname = current_database())",
        (session.parent,),
    ).fetchone()
    raise DrainRefused(
        f"could not drain {session.name}: another drain works on it" + (f", process {other[0]}" if other else ""),
        remedy="wait for it",
    )


def _refuse_unfit(session: Session, wish: Drain, plan: Plan) -> None:
    if wish.method in (Method.SWAP, Method.ATTACH):
        obstacle = obstacle_to_swap(session, wish)
        if obstacle is None and wish.method is Method.ATTACH:
            obstacle = obstacle_to_attach(session, wish)
        if obstacle is not None:
            raise DrainRefused(
                f"could not drain {session.name} by {wish.method}: {obstacle}", remedy="leave it to --method batch"
            )
    if wish.method is Method.ATTACH and (len(plan.intervals) != 1 or plan.staying) and plan.rows:
        raise DrainRefused(
            f"could not drain {session.name} by attach: its rows do not all belong into one new partition",
            remedy="partwarden drain --dry-run shows where they belong",
        )


def _finish_what_was_begun(dsn: str, session: Session, wish: Drain, tell: Tell) -> Finished | None:
    if not swap.begun(session):
        return None
    plan = swap.plan_of_begun(session)
    tell(Planned(plan, resumed=True))
    return _swap(dsn, session, wish, plan, tell)


def _do(dsn: str, session: Session, wish: Drain, plan: Plan, tell: Tell) -> Finished:
    match plan.method:
        case Method.SWAP:
            return _swap(dsn, session, wish, plan, tell)
        case Method.BATCH:
            return batch.move(session, wish, plan, tell)
        case Method.ATTACH:
            return _attach(session, wish, plan, tell)


def _attach(session: Session, wish: Drain, plan: Plan, tell: Tell) -> Finished:
    try:
        return whole.attach(session, wish, plan, tell)
    except psycopg.Error as failure:
        if failure.sqlstate != _BEGIN_ANEW and not isinstance(failure, psycopg.errors.CheckViolation):
            raise
    # Rows have come that belong elsewhere: the next look finds another way.
    whole.clear(session, wish, tell)
    return Finished(plan.method, 0, 0, plan.rows_staying, 0, 0)


def _swap(dsn: str, session: Session, wish: Drain, plan: Plan, tell: Tell) -> Finished:
    for left in reversed(range(_TIMES)):
        try:
            return swap.replace(dsn, session, wish, plan, tell)
        except psycopg.Error as failure:
            if failure.sqlstate != _BEGIN_ANEW or not left:
                raise
            swap.abandon(session, wish, tell)
            plan = make_plan(session, wish)
            tell(Planned(plan))
            if not plan.rows:
                break
            time.sleep(0.1)
    return Finished(plan.method, 0, 0, plan.rows_staying, 0, 0)
