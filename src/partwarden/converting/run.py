"""From a wish to a partition set: look, refuse, prepare beside everybody's work, exchange in one short transaction, finish."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import psycopg

from partwarden.converting.build import build, preview
from partwarden.converting.conversion import Conversion, Converted, Mode, Phase, Step
from partwarden.converting.session import Session, open_session, refusals
from partwarden.converting.stages import pending, take_back, undoing
from partwarden.converting.watching import watched
from partwarden.converting.wish import Undo, Wish
from partwarden.database import connect
from partwarden.draining.events import Event as Happening
from partwarden.draining.events import Step as Began
from partwarden.draining.locks import Patience, in_short_tries, refuse_long_holders
from partwarden.errors import ConvertRefused

_OTHER_ROWS = "PW001"
"""What ``convert_open`` raises when a row has come that lies beyond the bound."""

_CHANGED = "PW002"
"""What it raises when the table is not what the statements were made for."""

_TIMES = 4


@dataclass(frozen=True)
class Planned:
    """What is going to be done, or what is left of it."""

    conversion: Conversion


Event = Planned | Happening
Tell = Callable[[Event], None]


def look(dsn: str, wish: Wish) -> Conversion | None:
    """The same as ``preview``, by a connection string."""
    with connect(dsn) as connection:
        connection.autocommit = True
        return preview(connection, wish)


def convert(dsn: str, wish: Wish, tell: Tell) -> Converted | None:
    """Make the table a partition set; go on with what an interrupted run has begun. None where there was nothing to do.

    Raises ConvertRefused and LockNotAcquired. Whatever ends it, the table is a table still, or a partition set: never between
    the two; no row is lost, and no row of anybody's refused. A second call goes on.
    """
    started = time.monotonic()
    with open_session(dsn, wish.table) as session, refusals(session.name):
        _claim(session)
        if session.is_partitioned:
            return _finish(session, wish, tell)
        refuse_long_holders(session.connection, session.table, session.name, wish, attempt="convert")
        conversion, locked = _exchange(session, wish, tell)
        _do_afterwards(session, wish, [step for step in conversion.steps if step.phase is Phase.AFTERWARDS], tell)
        return Converted(
            conversion.table,
            conversion.partition,
            conversion.form,
            conversion.partitions,
            time.monotonic() - started,
            locked,
            conversion.next,
        )


def _exchange(session: Session, wish: Wish, tell: Tell) -> tuple[Conversion, float]:
    """Prepare and exchange; anew when somebody has changed the table, or rows have come that lie elsewhere."""
    for left in reversed(range(_TIMES)):
        conversion = _planned(session, wish, tell)
        try:
            # What is built changes the table, too: the exchange is made for what is there then.
            while before := [step for step in conversion.steps if step.phase is Phase.PREPARE]:
                for step in before:
                    _do(session, wish, step, tell)
                conversion = build(session, wish)
                _refuse_obstacles(conversion)
            (exchange,) = (step for step in conversion.steps if step.phase is Phase.EXCHANGE)
            return conversion, _do(session, wish, exchange, tell)
        except psycopg.Error as failure:
            has_other_rows = failure.sqlstate == _OTHER_ROWS or isinstance(failure, psycopg.errors.CheckViolation)
            if not left or not (has_other_rows or failure.sqlstate == _CHANGED):
                raise
            if has_other_rows:
                tell(Began("rows have come that lie beyond the bound: beginning anew with a later one"))
                _clear(session, wish, tell)
    raise AssertionError


def _planned(session: Session, wish: Wish, tell: Tell) -> Conversion:
    if session.may_act:
        session.act_as_owner(for_now=False)
    conversion = build(session, wish)
    _refuse_obstacles(conversion)
    tell(Planned(conversion))
    return conversion


def _refuse_obstacles(conversion: Conversion) -> None:
    if not conversion.obstacles:
        return
    first, *others = conversion.obstacles
    more = f"; and {len(others)} more" if others else ""
    raise ConvertRefused(f"could not convert {conversion.table}: {first.problem}{more}", remedy=first.remedy)


def _do_afterwards(session: Session, patience: Patience, steps: Sequence[Step], tell: Tell) -> None:
    are_in_the_way = False
    for step in steps:
        if step.left_to_maintenance and are_in_the_way:
            continue
        try:
            _do(session, patience, step, tell)
        except psycopg.Error as failure:
            if failure.sqlstate != _OTHER_ROWS or not step.left_to_maintenance:
                raise
            are_in_the_way = True
            tell(Began("rows have come where the next partitions have to go: maintenance makes them, or a drain"))


def _do(session: Session, patience: Patience, step: Step, tell: Tell) -> float:
    """Do one step; returns for how long its locks were held, in milliseconds."""
    tell(Began(step.name))
    connection = session.connection
    match step.mode:
        case Mode.TRIES:
            return _in_tries(session, patience, step, tell)
        case Mode.READING:
            with connection.transaction():
                connection.execute("select set_config('lock_timeout', %s, true)", (f"{max(patience.window, 1):.0f}s",))
                for statement in step.statements:
                    connection.execute(statement.text.encode())
        case Mode.ALONE:
            # It waits for every older transaction of the database, however long; nobody queues behind it.
            connection.execute("select set_config('lock_timeout', '0', false)")
            for statement in step.statements:
                with watched(session.dsn, connection.info.backend_pid, step.name, tell):
                    connection.execute(statement.text.encode())
    return 0


def _in_tries(session: Session, patience: Patience, step: Step, tell: Tell) -> float:
    locks, work = (";\n".join(each.text for each in listed).encode() for listed in (step.locks, step.statements))

    def attempt() -> float:
        # Two messages to the server, however many statements: others wait meanwhile, and it may be far away.
        if locks:
            session.connection.execute(locks)
        locked = time.monotonic()
        session.connection.execute(work)
        return (time.monotonic() - locked) * 1000

    return in_short_tries(
        session.connection,
        attempt,
        parent=session.table,
        name=session.name,
        patience=patience,
        tell=tell,
        kept=(session.name,),
    )


def undo(dsn: str, wish: Undo, tell: Tell) -> bool:
    """Make the table what it was before: take back what was prepared, or the exchange while no other partition has rows.

    False where there is nothing of a conversion. Raises ConvertRefused where there is no way back.
    """
    with open_session(dsn, wish.table) as session, refusals(session.name, "undo the conversion of"):
        _claim(session)
        _refuse_strangers(session)
        session.act_as_owner(for_now=False)
        steps = undoing(session) if session.is_partitioned else take_back(session)
        for step in steps:
            _do(session, wish, step, tell)
        return bool(steps)


def _finish(session: Session, wish: Wish, tell: Tell) -> Converted | None:
    """What an interrupted run has left to do after the exchange."""
    session.refuse_unmanaged()
    _refuse_strangers(session)
    session.act_as_owner(for_now=False)
    started = time.monotonic()
    steps = pending(session)
    if not steps:
        return None
    _do_afterwards(session, wish, steps, tell)
    return Converted(session.name, None, None, 0, time.monotonic() - started, 0, "nothing is left to do")


def _clear(session: Session, patience: Patience, tell: Tell) -> None:
    """Take away the guard; what has been built stays, for the next attempt."""
    for step in take_back(session):
        if step.mode is Mode.TRIES:
            _do(session, patience, step, tell)


def _refuse_strangers(session: Session) -> None:
    if not session.may_act:
        raise ConvertRefused(
            f"could not work on {session.name}: it belongs to {session.owner}, and this role is not that, nor a member of it",
            remedy=f"connect as {session.owner}",
        )


def _claim(session: Session) -> None:
    """One conversion at a time of a table; the claim ends with the connection."""
    row = session.connection.execute(
        "select pg_try_advisory_lock(hashtext('partwarden convert'), hashtext(%s))", (session.name,)
    ).fetchone()
    if row != (True,):
        raise ConvertRefused(
            f"could not convert {session.name}: another conversion works on it", remedy="wait until it has ended"
        )
