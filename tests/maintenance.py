"""partwarden.maintain() in a session of its own, held where a test wants it, and others who write meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import psycopg
from psycopg import sql

from partwarden.database import Connection
from tests.partition_sets import create_parent
from tests.servers import Database, with_application_name
from tests.waiting import wait_until

SESSION = "maintenance"


class Call:
    """``call partwarden.maintain()`` in a thread; ``error`` and ``messages`` are there when it has ended."""

    def __init__(self, database: Database) -> None:
        self.error: psycopg.Error | None = None
        self.messages: list[str] = []
        self._dsn = with_application_name(database.owner_dsn, SESSION)
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        try:
            with psycopg.connect(self._dsn, autocommit=True) as connection:
                connection.add_notice_handler(lambda notice: self.messages.append(notice.message_primary or ""))
                connection.execute("set client_min_messages = debug1")
                connection.execute("call partwarden.maintain()")
        except psycopg.Error as error:
            self.error = error

    def start(self) -> Call:
        """Let it begin."""
        self._thread.start()
        return self

    def wait(self) -> Call:
        """Return when it has ended, well or not."""
        self._thread.join(60)
        assert not self._thread.is_alive(), "maintain() has not ended in time"
        return self

    @property
    def default_partitions_not_read(self) -> int:
        """How many times PostgreSQL attached a partition and knew without looking that the default one has no such row."""
        return sum("updated partition constraint for default partition" in each for each in self.messages)


@contextmanager
def maintaining(database: Database) -> Iterator[Call]:
    """A call that is at work during the block, which is left when the call has ended."""
    call = Call(database).start()
    try:
        yield call
    finally:
        call.wait()


def maintain(database: Database) -> Call:
    """A call, from its beginning to its end."""
    return Call(database).start().wait()


# What maintain() is about to do when it is held: told by the command, and by how things stand then.
STAGES = {
    "placed": "tg_tag = 'ALTER TABLE' and exists (select from pg_constraint"
    " where conname = 'partwarden_guard' and not convalidated)",
    "attaching": "tg_tag = 'CREATE TABLE' and exists (select from pg_constraint"
    " where conname = 'partwarden_guard' and convalidated)",
    "taken off": "tg_tag = 'DROP TRIGGER' and exists (select from pg_trigger where tgname = 'partwarden_guard')",
    "put away": "tg_tag = 'DROP FUNCTION'",
    "second interval": "tg_tag = 'CREATE TABLE' and exists (select from partwarden.repair where partitions = 1)",
}


@contextmanager
def held_at(database: Database, stage: str) -> Iterator[None]:
    """Have maintain() wait, where it comes to that stage, for the block to end. It takes a superuser."""
    with database.connect() as superuser:
        superuser.execute(
            f"""
            create function public.hold() returns event_trigger language plpgsql set search_path = pg_catalog as $$
            begin
                if current_setting('application_name') = '{SESSION}' and ({STAGES[stage]}) then
                    perform set_config('application_name', 'held', false);
                    while not pg_try_advisory_xact_lock_shared(4711) loop
                        perform pg_sleep(0.01);
                    end loop;
                    perform set_config('application_name', 'gone on', false);
                end if;
            end
            $$;
            """.encode()
        )
        superuser.execute("create event trigger hold on ddl_command_start execute function public.hold()")
        superuser.execute("select pg_advisory_lock(4711)")
        try:
            yield
        finally:
            superuser.execute("select pg_advisory_unlock(4711)")
    # The event trigger stays: whoever drops it waits for those who are in it.


@contextmanager
def maintaining_held_at(database: Database, stage: str) -> Iterator[Call]:
    """A call that waits, where it comes to that stage, for the block to end; the block is left when the call has ended."""
    call = Call(database)
    with ExitStack() as afterwards, held_at(database, stage):
        afterwards.callback(call.start().wait)
        yield call


def wait_until_held(connection: Connection) -> None:
    """Return when maintain() has come to the stage where it is held."""
    wait_until(lambda: session(connection, "held") is not None, "maintain() is held")


def kill(connection: Connection, application_name: str = "held") -> None:
    """End that session of ours, as an administrator would, and wait until it is gone."""
    connection.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where datname = current_database() and application_name = %s",
        (application_name,),
    )
    wait_until(lambda: session(connection, application_name) is None, "the session is gone")


def session(connection: Connection, application_name: str) -> int | None:
    """The process of the session of that name, if there is one."""
    row = connection.execute(
        "select pid from pg_stat_activity where datname = current_database() and application_name = %s",
        (application_name,),
    ).fetchone()
    return None if row is None else int(row[0])


class Writer:
    """Somebody who executes one statement after the other; ``longest`` is in seconds."""

    def __init__(self, dsn: str, work: Callable[[Connection, int], object]) -> None:
        self.done = 0
        self.longest = 0.0
        self.errors: list[psycopg.Error] = []
        self._dsn = dsn
        self._work = work
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        with psycopg.connect(self._dsn, autocommit=True) as connection:
            while not self._stop.wait(0.002):
                started = time.monotonic()
                try:
                    self._work(connection, self.done)
                except psycopg.Error as error:
                    self.errors.append(error)
                    return
                self.longest = max(self.longest, time.monotonic() - started)
                self.done += 1


@contextmanager
def writing(dsn: str, work: Callable[[Connection, int], object]) -> Iterator[Writer]:
    """Somebody who writes during the block, and has before it began; ``work`` gets the connection and a number."""
    writer = Writer(dsn, work)
    writer._thread.start()
    try:
        wait_until(lambda: writer.done > 5 or writer.errors, "the writer is at work")
        yield writer
    finally:
        writer._stop.set()
        writer._thread.join()


def big_default_set(connection: Connection, parent: str, megabytes: int = 17, *, premake: int = 5) -> None:
    """A set by day whose default partition has old rows, one a page, so that the file is that big."""
    schema, table = parent.split(".", 1)
    name = sql.Identifier(schema, table)
    connection.execute(
        sql.SQL(
            "create table {} (id bigint not null, created_at timestamptz not null, payload text,"
            " primary key (id, created_at)) partition by range (created_at)"
        ).format(name)
    )
    create_parent(connection, parent, "1 day", p_premake=premake)
    connection.execute(
        "update partman.part_config set infinite_time_partitions = true, ignore_default_data = true"
        " where parent_table = %s",
        (parent,),
    )
    connection.execute("select partman.run_maintenance(%s)", (parent,))
    fill_default(connection, parent, megabytes)


def fill_default(connection: Connection, parent: str, megabytes: int) -> None:
    """Make a set's default partition that big, with rows of long ago."""
    connection.execute(
        sql.SQL("alter table {} set (fillfactor = 10)").format(_name(default_partition(connection, parent)))
    )
    connection.execute(
        sql.SQL(
            "insert into {} (id, created_at, payload)"
            " select -n, now() - interval '1 year' - n * interval '1 minute', repeat('x', 600)"
            " from generate_series(1, {}) n"
        ).format(_name(parent), megabytes * 128)
    )


def default_partition(connection: Connection, parent: str) -> str:
    """Its name, schema.table, unquoted."""
    row = connection.execute(
        "select nspname || '.' || relname from pg_partitioned_table join pg_class on pg_class.oid = partdefid"
        " join pg_namespace on pg_namespace.oid = relnamespace where partrelid = %s::regclass",
        (_name(parent).as_string(connection),),
    ).fetchone()
    assert row is not None
    return str(row[0])


def ends_at(connection: Connection, parent: str) -> str:
    """Where the last partition of a set by time ends."""
    row = connection.execute(
        "select max((regexp_match(pg_get_expr(relpartbound, oid), 'TO \\(''(.+)''\\)'))[1]::timestamptz)::text"
        " from pg_class join pg_inherits on inhrelid = oid where inhparent = %s::regclass",
        (_name(parent).as_string(connection),),
    ).fetchone()
    assert row is not None
    return str(row[0])


def guard_objects(connection: Connection) -> list[str]:
    """Whatever there is of guards, anywhere."""
    rows = connection.execute(
        """
        select 'constraint ' || conname::text from pg_constraint where conname like 'partwarden\\_guard%'
        union all select 'trigger ' || tgname from pg_trigger where tgname like 'partwarden\\_guard%'
        union all select 'function ' || proname from pg_proc where proname like 'partwarden\\_guard%'
        union all select 'relation ' || relname from pg_class where relname like 'partwarden\\_guard%'
        """
    ).fetchall()
    return sorted(name for (name,) in rows)


def count(connection: Connection, what: str) -> int:
    """How many rows of ``what``, which follows FROM."""
    row = connection.execute(f"select count(*) from {what}".encode()).fetchone()
    assert row is not None
    return int(row[0])


def want_more_partitions(connection: Connection, number: int, parent: str | None = None) -> None:
    """Every set, or the one, now wants so many partitions more than it has."""
    connection.execute(
        "update partman.part_config set premake = premake + %s where parent_table = coalesce(%s, parent_table)",
        (number, parent),
    )


def _name(of: str) -> sql.Identifier:
    return sql.Identifier(*of.split(".", 1))
