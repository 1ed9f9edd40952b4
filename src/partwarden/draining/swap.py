"""Copy beside the set while changes are logged; then, in one short transaction, replace the default partition.

Every step is a transaction, and what it has done is in tables beside the set, so that a second run goes on from there.
Until the cut-over the set is untouched but for a trigger on its default partition.
"""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from queue import SimpleQueue
from typing import Any, TypeVar

import psycopg

from partwarden.draining.events import Finished, Progress, Step, Tell
from partwarden.draining.locks import in_short_tries, wait_for_older_snapshots
from partwarden.draining.plan import DefaultPartition, Drain, Interval, Method, Plan
from partwarden.draining.session import Session, open_session
from partwarden.errors import DrainRefused

Item = TypeVar("Item")
Result = TypeVar("Result")

_CHUNK_PAGES = 1024
"""8 MB a transaction: some 100,000 rows, a fraction of a second."""

_FEW_ENTRIES = 200
"""So many changes are done to the copy in a millisecond or two: they may be left for the cut-over."""


_STRICT_SECONDS = 2
"""For so long a moment is looked for in which nobody waits to write, who might do so in REPEATABLE READ."""


_READERS_SECONDS = 0.5
"""For so long a moment without readers is waited for before each try."""


class Begun:
    """How far an interrupted or running swap has come, as its tables say."""

    def __init__(self, session: Session) -> None:
        self._session = session
        row = session.connection.execute(
            "select steps::text, chunks::text, stage::text, rest::text, old::text from pg_temp.swap_names(%s)",
            (session.parent,),
        ).fetchone()
        assert row is not None
        self.steps, self.chunks, self.stage, self.rest, self.old = row

    @property
    def is_there(self) -> bool:
        """Whether anything of a swap is there."""
        return self.steps is not None

    @property
    def is_prepared(self) -> bool:
        """Whether the tables to copy into have been made."""
        return self.rest is not None or self.old is not None

    def pages_to_copy(self) -> list[int]:
        """The chunks that nobody has copied yet."""
        return [
            page
            for (page,) in self._ask(
                f"select page from {self.chunks} where copied_as_of is null order by page"  # noqa: S608
            )
        ]

    def rows_copied(self) -> int:
        """Rows that have been copied."""
        return int(self._ask(f"select coalesce(sum(rows), 0) from {self.chunks}")[0][0])  # noqa: S608

    def targets(self, *, unready: bool = False) -> list[tuple[int, str]]:
        """Number, and name as SQL writes it, of each partition to be; number 0 is the new default partition."""
        where = "where not is_ready" if unready else ""
        return [
            (number, table)
            for number, table in self._ask(
                f"select number, relation::regclass::text from {self.steps} {where} order by number"  # noqa: S608
            )
        ]

    def _ask(self, statement: str) -> list[tuple[Any, ...]]:
        return self._session.connection.execute(statement.encode()).fetchall()


def begun(session: Session) -> bool:
    """Whether a swap of this set has been begun and is not finished."""
    return Begun(session).is_there


def plan_of_begun(session: Session) -> Plan:
    """What a swap that has been begun is going to do, as its tables say; rows are counted as they were copied."""
    state = Begun(session)
    intervals = session.connection.execute(
        f"select number, lower_bound, upper_bound, child, rows, 0 from {state.steps}"  # noqa: S608
        " where lower_bound is not null order by number".encode()
    ).fetchall()
    because = "it had been begun"
    return Plan(
        session.name,
        DefaultPartition.of(session),
        tuple(Interval(*each) for each in intervals),
        (),
        Method.SWAP,
        because,
    )


def replace(dsn: str, session: Session, wish: Drain, plan: Plan, tell: Tell) -> Finished:
    """Do what ``plan`` says, or go on with what was begun; psycopg.Error with PW001 when the copy is worth nothing."""
    started = time.monotonic()
    state = Begun(session)
    if not state.is_there:
        tell(Step("watching for changes"))
        _in_tries(session, wish, tell, lambda: _begin(session, wish, plan), kept=(plan.default.name,))
        state = Begun(session)
    locked = 0.0
    if state.old is None:
        locked = _copy_and_cut_over(dsn, session, wish, plan, tell)
        state = Begun(session)
    made = len(state.targets()) - 1
    tell(Step("dropping the old default partition"))
    with session.connection.transaction():
        session.call("swap_finish", session.parent)
    return Finished(Method.SWAP, plan.rows, made, plan.rows_staying, time.monotonic() - started, locked)


def abandon(session: Session, wish: Drain, tell: Tell) -> None:
    """Take back what a swap has made so far; the set is as it was. DrainRefused after the cut-over."""
    state = Begun(session)
    if state.old is not None:
        raise DrainRefused(
            f"the new partitions of {session.name} are in place: there is no way back",
            remedy=f"finish it: partwarden drain {session.name}",
        )
    _in_tries(
        session,
        wish,
        tell,
        lambda: session.call("swap_abandon", session.parent),
        kept=(DefaultPartition.of(session).name,),
    )


def _begin(session: Session, wish: Drain, plan: Plan) -> None:
    listed = json.dumps([asdict(each) for each in plan.intervals])
    session.call("swap_begin", session.parent, wish.interval, listed)


def _copy_and_cut_over(dsn: str, session: Session, wish: Drain, plan: Plan, tell: Tell) -> float:
    state = Begun(session)
    if not state.is_prepared:
        with session.connection.transaction():
            session.call("swap_prepare", session.parent, wish.interval, _CHUNK_PAGES)
        state = Begun(session)
    with _crew(dsn, session, wish) as crew:
        _copy(crew, state, plan, tell)
        # Until then a row that was updated may be there in both its versions, and no unique index could be built. Without
        # indexes all of the copy is read for that: once is enough.
        _apply(session, wish)
        _build_indexes(crew, state, wish, tell)
        _catch_up(session, wish)
        if state.stage is not None:
            _verify(session, wish, tell)
            with session.connection.transaction():
                session.call("swap_unstage", session.parent)
        _add_foreign_keys(session, wish, state, tell)
        _catch_up(session, wish)
        wait_for_older_snapshots(session.connection, name=session.name, patience=wish, tell=tell)
        tell(Step("cutting over"))
        tables = (plan.default.name, *(table for _, table in state.targets()))
        cut_over = _CutOver(session, crew.second, wish, _catch_up(session, wish))
        return _in_tries(session, wish, tell, cut_over.attempt, kept=tables)


def _copy(crew: Crew, state: Begun, plan: Plan, tell: Tell) -> None:
    step = "copying"
    tell(Step(step))
    done = state.rows_copied()
    total = plan.rows_in_all

    def copy(member: Session, page: int) -> int:
        with member.snapshot():
            return int(member.call("swap_copy", member.parent, page))

    for rows in crew.each(state.pages_to_copy(), copy):
        done += rows
        tell(Progress(step, done, max(total, done)))


def _build_indexes(crew: Crew, state: Begun, wish: Drain, tell: Tell) -> None:
    step = "building indexes"
    tell(Step(step))
    todo = state.targets(unready=True)

    def build(member: Session, target: tuple[int, str]) -> int:
        number, table = target
        _make_ready(member, wish, number)
        member.connection.execute(f"analyze {table}".encode())
        return 1

    done = 0
    for built in crew.each(todo, build):
        done += built
        tell(Progress(step, done, len(todo)))


def _make_ready(member: Session, wish: Drain, number: int) -> None:
    """Build one table's indexes; two that are built at the same time may choose one name, where names are cut short."""
    for left in reversed(range(20)):
        try:
            with member.connection.transaction():
                member.call("swap_ready", member.parent, wish.interval, number)
        except psycopg.errors.UniqueViolation as failure:
            if failure.diag.table_name != "pg_class" or not left:
                raise
            time.sleep(random.uniform(0, 0.05))  # noqa: S311
        else:
            return


def _add_foreign_keys(session: Session, wish: Drain, state: Begun, tell: Tell) -> None:
    has_keys = session.connection.execute(
        "select exists (select from pg_constraint where conrelid = %s and contype = 'f')", (session.parent,)
    ).fetchone()
    if has_keys != (True,):
        return
    tell(Step("checking foreign keys"))
    for _, table in state.targets():
        statements = _in_tries(
            session,
            wish,
            tell,
            lambda table=table: session.rows("reference_from_child", session.parent, table),  # type: ignore[misc]
        )
        for (statement,) in statements:
            session.connection.execute(str(statement).encode())


def _catch_up(session: Session, wish: Drain) -> str | None:
    """Do what was logged to the copy until little is left; under a steady load that is two or three rounds.

    Returns the transaction that wrote to the copy last, None when there was nothing to do.
    """
    applied = None
    for _ in range(20):
        entries, transaction = _apply(session, wish)
        if entries:
            applied = transaction
        if entries <= _FEW_ENTRIES:
            break
    return applied


def _apply(session: Session, wish: Drain) -> tuple[int, str]:
    with session.snapshot():
        session.connection.execute("set local synchronous_commit = off")
        entries = int(session.call("swap_apply", session.parent, wish.interval))
        return entries, session.transaction_id()


def _verify(session: Session, wish: Drain, tell: Tell) -> None:
    tell(Step("comparing"))
    with session.snapshot():
        session.connection.execute("set local max_parallel_workers_per_gather = 2")
        differing = session.rows("swap_verify", session.parent, wish.interval)
    if differing:
        table, wanted, copied = differing[0]
        raise DrainRefused(
            f"the copy differs from the default partition of {session.name}: {table} should have {wanted} rows of it and "
            f"has {copied}, or others than these",
            remedy=f"nothing has been changed: partwarden drain {session.name} --abandon removes the copy",
        )


class _CutOver:
    """The exchange, tried until nobody is in the way.

    What is left to be done to the copy is committed by a second connection while writers are kept out, so that it is older
    than what anybody reads afterwards. ``applied`` is the transaction that wrote to the copy last.
    """

    def __init__(self, session: Session, second: Session, wish: Drain, applied: str | None) -> None:
        self._session = session
        self._second = second
        self._wish = wish
        self._applied = applied
        self._strict_until = time.monotonic() + min(wish.window / 2, _STRICT_SECONDS)

    def attempt(self) -> float:
        """One try; returns for how long nobody could write, in milliseconds."""
        session = self._session
        self._catch_up_when_nobody_reads()
        is_left = session.call("swap_close", session.parent)
        closed = time.monotonic()
        if is_left:
            self._apply()
        if self._applied is not None:
            session.connection.execute(
                "select pg_temp.swap_await_snapshots(%s::text::xid8, %s::integer, %s)",
                (self._applied, round(self._wish.lock_timeout * 1000), time.monotonic() < self._strict_until),
            )
        session.call("swap_cut_over", session.parent, self._wish.interval)
        return (time.monotonic() - closed) * 1000

    def _catch_up_when_nobody_reads(self) -> None:
        """Begin when nobody is reading, if there is such a moment, and with next to nothing left to be done to the copy.

        A try then makes nobody wait in vain, and nobody for what could have been done before.
        """
        until = time.monotonic() + _READERS_SECONDS
        while True:
            while self._is_read() and time.monotonic() < until:
                time.sleep(0.002)
            self._apply()
            if time.monotonic() > until or not self._is_read():
                return

    def _is_read(self) -> bool:
        row = self._session.connection.execute(
            "select exists (select from pg_locks where locktype = 'relation' and granted and relation = %s"
            " and mode = 'AccessShareLock' and pid <> pg_backend_pid()"
            " and database = (select oid from pg_database where datname = current_database()))",
            (self._session.parent,),
        ).fetchone()
        return row == (True,)

    def _apply(self) -> None:
        entries, transaction = _apply(self._second, self._wish)
        if entries:
            self._applied = transaction


def _in_tries(
    session: Session, wish: Drain, tell: Tell, work: Callable[[], Result], *, kept: Sequence[str] = ()
) -> Result:
    return in_short_tries(
        session.connection, work, parent=session.parent, name=session.name, patience=wish, tell=tell, kept=kept
    )


class Crew:
    """Several connections that share a list of work; an error of one, or Ctrl-C, stops them all.

    There are at least two of them, whatever the number of ``jobs`` that work at the same time.
    """

    def __init__(self, sessions: Sequence[Session], jobs: int) -> None:
        self.second = sessions[1]
        self._sessions = sessions[:jobs]
        self._stop = threading.Event()

    def each(self, items: Sequence[Item], work: Callable[[Session, Item], int]) -> Iterator[int]:
        """The results of ``work`` on every item, as they come."""
        waiting = iter(items)
        guard = threading.Lock()
        results: SimpleQueue[int] = SimpleQueue()

        def labour(session: Session) -> None:
            while not self._stop.is_set():
                with guard:
                    item = next(waiting, None)
                if item is None:
                    return
                results.put(work(session, item))

        with ThreadPoolExecutor(len(self._sessions)) as pool:
            pending: set[Future[None]] = {pool.submit(labour, session) for session in self._sessions}
            try:
                while pending:
                    done, pending = wait(pending, timeout=0.05, return_when=FIRST_COMPLETED)
                    while not results.empty():
                        yield results.get()
                    for each in done:
                        each.result()
                while not results.empty():
                    yield results.get()
            except BaseException:
                self._stop.set()
                for session in self._sessions:
                    session.connection.cancel()
                raise


@contextmanager
def _crew(dsn: str, session: Session, wish: Drain) -> Iterator[Crew]:
    with ExitStack() as stack:
        others = [stack.enter_context(open_session(dsn, session.name)) for _ in range(max(wish.jobs, 2) - 1)]
        yield Crew([session, *others], wish.jobs)
