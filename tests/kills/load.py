"""Writers who change the set and the table that it is compared with in the same transactions, and readers who compare.

Nothing that a drain does may be an error to them, or make the two differ at any moment. Only where the server goes down
is a connection lost; then they connect again, and look whether their last transaction has come about.
"""

from __future__ import annotations

import itertools
import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import psycopg
from psycopg import IsolationLevel

from partwarden.database import Connection
from tests.kills.shapes import Shape

_SERVER_IS_GONE = {None, "57P01", "57P02", "57P03", "08006", "08001", "08003"}

_COMPARE = """
    with of_set as (select count(*) as rows, sum(hashtextextended(listed::text, 0)) as hash from app.events listed),
    of_reference as (select count(*) as rows, sum(hashtextextended(listed::text, 0)) as hash from app.reference listed)
    select of_set.rows, of_set.hash, of_reference.rows, of_reference.hash from of_set, of_reference
"""


def compare(connection: Connection) -> str | None:
    """In what the set and the table that it is compared with differ now, in one snapshot; None when they are the same."""
    row = connection.execute(_COMPARE).fetchone()
    assert row is not None
    return _difference(*row)


def _difference(rows: int, hashed: object, wanted_rows: int, wanted_hash: object) -> str | None:
    if (rows, hashed) == (wanted_rows, wanted_hash):
        return None
    return f"the set has {rows} rows (hash {hashed}), it should have {wanted_rows} (hash {wanted_hash})"


class Load:
    """Two writers and one reader at work; ``problems`` are what must not have happened to them.

    Where ``is_busy`` is false they only work when they are told to, by ``write_some()``.
    """

    def __init__(self, dsn: str, shape: Shape, seed: int, *, is_busy: bool) -> None:
        self._dsn = dsn
        self.problems: list[str] = []
        self.transactions = 0
        self.comparisons = 0
        self._end = threading.Event()
        self._outage = threading.Event()
        self._working = threading.Condition()
        self._paused = False
        self._busy = 0
        self._writers = [_Writer(self, shape, number, random.Random(f"{seed} writer {number}")) for number in range(2)]
        tasks: list[Callable[[Connection], None]] = [*(writer.work for writer in self._writers), _Reader(self).work]
        self._threads = [threading.Thread(target=self._live, args=(task,)) for task in tasks if is_busy]
        for thread in self._threads:
            thread.start()

    def write_some(self, connection: Connection, transactions: int) -> None:
        """Write here and now."""
        for _ in range(transactions):
            for writer in self._writers:
                writer.work(connection)

    def believed_ids(self, connection: Connection) -> set[int]:
        """The ids that there must be, by what the writers have been told; to be asked while it pauses."""
        return {number for writer in self._writers for number in writer.believed_ids(connection)}

    def stop(self) -> None:
        """End it, after what is being done."""
        self._end.set()
        with self._working:
            self._paused = False
            self._working.notify_all()
        for thread in self._threads:
            thread.join()

    @contextmanager
    def outage(self) -> Iterator[None]:
        """The server goes down and comes back meanwhile: connections may be lost."""
        self._outage.set()
        try:
            yield
        finally:
            self._outage.clear()

    @contextmanager
    def pause(self) -> Iterator[None]:
        """Nothing is written meanwhile, and no transaction is open."""
        with self._working:
            self._paused = True
            assert self._working.wait_for(lambda: self._busy == 0, timeout=30), "the load does not come to rest"
        try:
            yield
        finally:
            with self._working:
                self._paused = False
                self._working.notify_all()

    def _live(self, task: Callable[[Connection], None]) -> None:
        while not self._end.is_set():
            outage_before = self._outage.is_set()
            try:
                with psycopg.connect(self._dsn, autocommit=True, application_name="load") as connection:
                    self._work(connection, task)
            except psycopg.OperationalError as error:
                if error.sqlstate not in _SERVER_IS_GONE or not (outage_before or self._outage.is_set()):
                    self.problems.append(f"{type(error).__name__}: {error}")
                    return
                time.sleep(0.02)
            except Exception as error:  # noqa: BLE001 - whatever it is, the test has to hear of it
                self.problems.append(f"{type(error).__name__}: {error}")
                return

    def _work(self, connection: Connection, task: Callable[[Connection], None]) -> None:
        while not self._end.is_set():
            with self._working:
                self._working.wait_for(lambda: not self._paused)
                self._busy += 1
            try:
                task(connection)
            finally:
                with self._working:
                    self._busy -= 1
                    self._working.notify_all()
            time.sleep(0.01)


class _Writer:
    """Changes rows that only this writer changes, and knows which there are."""

    def __init__(self, load: Load, shape: Shape, number: int, dice: random.Random) -> None:
        self._load = load
        self._shape = shape
        self._dice = dice
        first = shape.rows + shape.staying + 300
        mine = [each for each in range(1, first + 1) if each // 10 % 2 == number]
        self._referenced = [each for each in mine if shape.has_details and each % 10 == 0]
        self._live = sorted(set(mine) - set(self._referenced))
        self._ids = itertools.count(1_000_000 * (number + 1))
        self._markers = itertools.count(1_000_000_000 * (number + 1))
        self._in_doubt: tuple[int, list[int]] | None = None
        self._today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)

    def believed_ids(self, connection: Connection) -> list[int]:
        """The ids that this writer has written and not deleted, and those that only it changes."""
        self._resolve_doubt(connection)
        return self._live + self._referenced

    def work(self, connection: Connection) -> None:
        """One transaction."""
        self._resolve_doubt(connection)
        marker = next(self._markers)
        live = list(self._live)
        # Not in REPEATABLE READ: writers in it are the one exception that docs/drain.md makes.
        with connection.transaction():
            connection.execute("insert into app.marker values (%s)", (marker,))
            for _ in range(self._dice.randint(1, 4)):
                self._change(connection, live)
            self._in_doubt = (marker, live)
        self._in_doubt = None
        self._live = live
        self._load.transactions += 1

    def _resolve_doubt(self, connection: Connection) -> None:
        """Where the connection was lost at a commit, only the database knows whether it came about."""
        if self._in_doubt is None:
            return
        marker, live = self._in_doubt
        if connection.execute("select 1 from app.marker where id = %s", (marker,)).fetchone() is not None:
            self._live = live
        self._in_doubt = None

    def _change(self, connection: Connection, live: list[int]) -> None:
        acts = (self._insert, self._update, self._move, self._delete, self._refer)
        act = self._dice.choices(acts, (4, 3, 2, 2, 2 if self._referenced else 0))[0]
        act(connection, live)

    def _insert(self, connection: Connection, live: list[int]) -> None:
        number = next(self._ids)
        facts = json.dumps({"n": number, "text": 'a "quote", a \\ and (a, bracket)'})
        values = (number, self._moment(), self._dice.randint(1, 3), self._text(), facts, self._dice.randint(0, 999))
        copies = 1 if self._shape.has_key else self._dice.choice((1, 1, 2))
        for table in ("app.events", "app.reference") * copies:
            connection.execute(
                f"insert into {table} (id, created_at, kind, payload, facts, amount)"
                " values (%s, %s, %s, %s, %s, %s)".encode(),
                values,
            )
        live.append(number)

    def _update(self, connection: Connection, live: list[int]) -> None:
        self._do_to_both(
            connection, "update {} set payload = %s, amount = amount + 1 where id = %s", self._text(), live
        )

    def _move(self, connection: Connection, live: list[int]) -> None:
        self._do_to_both(connection, "update {} set created_at = %s where id = %s", self._moment(), live)

    def _delete(self, connection: Connection, live: list[int]) -> None:
        number = self._any(live)
        for table in ("app.events", "app.reference"):
            connection.execute(f"delete from {table} where id = %s".encode(), (number,))
        live.remove(number)

    def _refer(self, connection: Connection, _: list[int]) -> None:
        number = self._dice.choice(self._referenced)
        self._do_to_both(connection, "update {} set payload = %s where id = %s", self._text(), [number])
        connection.execute(
            "insert into app.detail select %s, event_id, event_at from app.detail where id = %s",
            (next(self._ids), number),
        )

    def _do_to_both(self, connection: Connection, statement: str, value: object, live: list[int]) -> None:
        number = self._any(live)
        for table in ("app.events", "app.reference"):
            connection.execute(statement.format(table).encode(), (value, number))

    def _any(self, live: list[int]) -> int:
        return self._dice.choice(live)

    def _moment(self) -> datetime:
        """Mostly in a day whose rows wait in the default partition, sometimes today, seldom where rows stay."""
        within = timedelta(seconds=self._dice.randint(0, 86399))
        place = self._dice.random()
        if place < 0.6:
            return self._today + timedelta(days=self._dice.choice(self._shape.days)) + within
        if place < 0.95 or not self._shape.staying:
            return self._today + within
        return datetime(1970, 1, 1, 12, tzinfo=UTC) + within / 10

    def _text(self) -> str | None:
        words = ("plain", "it's", 'a "quote"', "back\\slash", "tab\there", "line\nbreak", "ünï ☃", "(a,b)", "", "NULL")
        return self._dice.choice((None, " ".join(self._dice.choices(words, k=self._dice.randint(0, 8)))))


class _Reader:
    """Compares the set with what it should be, in one moment: in each way in which a moment can be held."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._ways = itertools.cycle((self._in_one_statement, self._in_one_transaction, self._in_one_function))

    def work(self, connection: Connection) -> None:
        """One comparison."""
        way = next(self._ways)
        difference = way(connection)
        self._load.comparisons += 1
        if difference is not None:
            self._load.problems.append(f"a reader {way.__name__.strip('_').replace('_', ' ')} found that {difference}")
        time.sleep(0.15)

    def _in_one_statement(self, connection: Connection) -> str | None:
        return compare(connection)

    def _in_one_transaction(self, connection: Connection) -> str | None:
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        try:
            with connection.transaction():
                wanted = connection.execute(
                    "select count(*), sum(hashtextextended(listed::text, 0)) from app.reference listed"
                ).fetchone()
                time.sleep(0.01)
                found = connection.execute(
                    "select count(*), sum(hashtextextended(listed::text, 0)) from app.events listed"
                ).fetchone()
        finally:
            connection.isolation_level = None
        assert wanted is not None
        assert found is not None
        return _difference(*found, *wanted)

    def _in_one_function(self, connection: Connection) -> str | None:
        row = connection.execute(
            """
            with of_reference as materialized (
                select count(*) as rows, sum(hashtextextended(listed::text, 0)) as hash from app.reference listed
            )
            select late.rows, late.hash, of_reference.rows, of_reference.hash
            from of_reference cross join lateral app.late_look() as late
            """
        ).fetchone()
        assert row is not None
        return _difference(*row)
