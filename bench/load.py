"""Others who read and write a partition set while something is done to it, and what they get to feel of it.

They are a process of their own, with a thread and a connection for each kind of statement, so that nothing that the
measuring process does delays them. Every statement is a transaction.
"""

from __future__ import annotations

import itertools
import multiprocessing
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from multiprocessing.connection import Connection as Pipe
from typing import Any

import psycopg

from bench.measure import what_it_said
from partwarden.database import Connection

_WRITE_EVERY = 0.005
_PLAN_EVERY = 0.02
_COUNT_EVERY = 0.05
_WARM_UP = 1.0
_SAMPLE = 2_000
_FIRST_NEW_ID = 1_000_000_000_000


class LoadFailed(Exception):
    """The load did not do what it should; nothing that it has seen is worth anything."""


class Kind(StrEnum):
    """What the others do."""

    INSERT_ORDINARY = "insert, ordinary partition"
    INSERT_DEFAULT = "insert, default partition"
    """A row of an interval that the default partition holds rows of when the load begins."""
    UPDATE = "update"
    """Of a row that is in the default partition when the load begins, through the parent."""
    PLAN = "count(*), its locks only"
    """EXPLAIN of the count: what it waits for, without the time that it takes to count."""
    COUNT = "count(*)"


@dataclass(frozen=True)
class Loaded:
    """What the load is put on: ``parent`` has ``rows`` rows, those with ids 1 to ``rows_in_default`` in its default.

    The table has the columns event_id, created_at and amount; ``amount`` is 0 everywhere. Rows of the default
    partition's intervals lie from ``since`` to before ``until``. Statements of the kinds in ``without`` are left out.
    """

    dsn: str
    parent: str
    rows: int
    rows_in_default: int
    since: datetime
    until: datetime
    without: frozenset[Kind] = frozenset()


@dataclass
class Felt:
    """Of one kind of statement: how many were done, the longest in seconds, and what went wrong, by the error's text."""

    done: int = 0
    longest: float = 0
    errors: Counter[str] = field(default_factory=Counter)


@dataclass
class Recorded:
    """What the load saw; it can be read after the block.

    ``wrong`` of ``answers`` counts were none that is right: fewer rows than were committed before it began, or more
    than were begun before it had ended. ``furthest`` is by how many rows the worst of them was out.
    ``updates_of_nothing`` found no row, though each was for a row that is always there.
    """

    felt: dict[Kind, Felt] = field(default_factory=lambda: {kind: Felt() for kind in Kind})
    answers: int = 0
    wrong: int = 0
    furthest: int = 0
    inserted: int = 0
    updated: int = 0
    updates_of_nothing: int = 0

    def rows_lost(self, connection: Connection, loaded: Loaded) -> int:
        """Rows that should be in the set and are not; less than 0 where there are too many."""
        return loaded.rows + self.inserted - _number(connection, f"select count(*) from {loaded.parent}")

    def updates_lost(self, connection: Connection, loaded: Loaded) -> int:
        """Updates that were confirmed and can't be seen."""
        return self.updated - _number(connection, f"select coalesce(sum(amount), 0) from {loaded.parent}")


@contextmanager
def under_load(loaded: Loaded) -> Iterator[Recorded]:
    """Put the load on for as long as the block lasts; it runs for a second before what it feels is taken down."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_put_on, args=(loaded, theirs), daemon=True)
    recorded = Recorded()
    process.start()
    theirs.close()
    try:
        ours.recv()
        yield recorded
        ours.send("stop")
        seen, problems = ours.recv()
        if problems:
            raise LoadFailed("; ".join(problems))
        recorded.__dict__.update(seen.__dict__)
        process.join()
    finally:
        process.kill()
        process.join()


def _put_on(loaded: Loaded, pipe: Pipe) -> None:
    sys.setswitchinterval(0.0005)
    others = _Others(loaded)
    threads = [threading.Thread(target=work) for work in others.work]
    for thread in threads:
        thread.start()
    time.sleep(_WARM_UP)
    others.forget()
    pipe.send("ready")
    pipe.recv()
    others.stop.set()
    for thread in threads:
        thread.join()
    pipe.send((others.recorded, others.problems))


class _Others:
    """Everybody who reads and writes; numbers that several of them need are changed under one lock."""

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded
        self._guard = threading.Lock()
        self._ids = itertools.count(_FIRST_NEW_ID)
        self._begun = 0
        self._random = random.Random(4)  # noqa: S311
        self.recorded = Recorded()
        self.stop = threading.Event()
        self.problems: list[str] = []
        """What makes the whole run worth nothing."""
        updater = self._updater()
        of_kind: dict[Kind, tuple[float, Callable[[], Callable[[Connection], None]]]] = {
            Kind.INSERT_ORDINARY: (_WRITE_EVERY, lambda: self._insert_at(None)),
            Kind.INSERT_DEFAULT: (_WRITE_EVERY, lambda: self._insert_at(self._old_time())),
            Kind.UPDATE: (_WRITE_EVERY, updater),
            Kind.PLAN: (_PLAN_EVERY, lambda: self._plan),
            Kind.COUNT: (_COUNT_EVERY, lambda: self._count),
        }
        # Everybody connects before the first of them works.
        self.work = [self._worker(kind, *of_kind[kind]) for kind in Kind if kind not in loaded.without]

    def forget(self) -> None:
        """Begin to take down; what was inserted and updated so far remains so."""
        with self._guard:
            if self.recorded.wrong:
                self.problems.append(f"{self.recorded.wrong} wrong answers before anything was done")
            self.recorded.felt = {kind: Felt() for kind in Kind}
            self.recorded.answers = self.recorded.wrong = self.recorded.furthest = 0

    def _worker(
        self, kind: Kind, every: float, next_statement: Callable[[], Callable[[Connection], None]]
    ) -> Callable[[], None]:
        connection = psycopg.connect(self._loaded.dsn, autocommit=True, application_name=f"load: {kind}")

        def work() -> None:
            nonlocal connection
            while not self.stop.wait(every):
                statement = next_statement()
                began = time.monotonic()
                try:
                    statement(connection)
                except psycopg.Error as error:
                    self._take_down(kind, time.monotonic() - began, error)
                    if connection.closed:
                        connection = psycopg.connect(self._loaded.dsn, autocommit=True)
                else:
                    self._take_down(kind, time.monotonic() - began)
            connection.close()

        def work_or_say() -> None:
            try:
                work()
            except Exception as failure:  # noqa: BLE001
                self.problems.append(f"{kind}: {failure!r}")

        return work_or_say

    def _take_down(self, kind: Kind, seconds: float, error: psycopg.Error | None = None) -> None:
        with self._guard:
            felt = self.recorded.felt[kind]
            felt.longest = max(felt.longest, seconds)
            if error is None:
                felt.done += 1
            else:
                felt.errors[what_it_said(error)] += 1

    def _old_time(self) -> datetime:
        return self._loaded.since + (self._loaded.until - self._loaded.since) * self._random.random()

    def _insert_at(self, at: datetime | None) -> Callable[[Connection], None]:
        statement = (
            f"insert into {self._loaded.parent} (event_id, created_at, payload)"
            " values (%s, coalesce(%s, now()), 'an event that came meanwhile')"
        ).encode()

        def insert(connection: Connection) -> None:
            with self._guard:
                self._begun += 1
            try:
                connection.execute(statement, (next(self._ids), at))
            except psycopg.Error as error:
                if error.sqlstate is not None:  # the server has refused it; a lost connection leaves it open
                    with self._guard:
                        self._begun -= 1
                raise
            with self._guard:
                self.recorded.inserted += 1

        return insert

    def _updater(self) -> Callable[[], Callable[[Connection], None]]:
        statement = (
            f"update {self._loaded.parent} set amount = amount + 1 where event_id = %s and created_at = %s".encode()
        )
        ids = self._random.sample(
            range(1, self._loaded.rows_in_default + 1), min(_SAMPLE, self._loaded.rows_in_default)
        )
        with psycopg.connect(self._loaded.dsn) as connection:
            keys = connection.execute(
                f"select event_id, created_at from {self._loaded.parent} where event_id = any (%s)".encode(), (ids,)
            ).fetchall()

        def update_one_of_them() -> Callable[[Connection], None]:
            key = self._random.choice(keys)

            def update(connection: Connection) -> None:
                found = connection.execute(statement, key).rowcount
                with self._guard:
                    self.recorded.updated += found
                    self.recorded.updates_of_nothing += found == 0

            return update

        return update_one_of_them

    def _plan(self, connection: Connection) -> None:
        connection.execute(f"explain select count(*) from {self._loaded.parent}".encode())

    def _count(self, connection: Connection) -> None:
        with self._guard:
            least = self._loaded.rows + self.recorded.inserted
        answer = _number(connection, f"select count(*) from {self._loaded.parent}")
        with self._guard:
            most = self._loaded.rows + self._begun
            self.recorded.answers += 1
            out = max(least - answer, answer - most, 0)
            self.recorded.wrong += out > 0
            self.recorded.furthest = max(self.recorded.furthest, out)


def _number(connection: Connection, statement: str) -> int:
    row: tuple[Any, ...] | None = connection.execute(statement.encode()).fetchone()
    assert row is not None
    return int(row[0])
