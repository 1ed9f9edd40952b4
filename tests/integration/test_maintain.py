"""partwarden.maintain(): every set on its own, verified, and never silently."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from partwarden.database import Connection
from partwarden.install import install
from tests.partition_sets import (
    create_parent,
    create_sub_parent,
    daily_set,
    partitions,
    put_row_in_the_way,
    want_one_more_partition,
)
from tests.servers import Database, with_application_name
from tests.waiting import wait_until


@pytest.fixture
def owner(database: Database):  # type: ignore[no-untyped-def]
    """An ordinary role's connection to a database that has partwarden."""
    with database.connect_owner() as connection:
        install(connection)
        connection.execute("create schema app")
        yield connection


def runs(connection: Connection) -> list[tuple[str, str, str]]:
    rows = connection.execute(
        "select parent_table, phase, outcome from partwarden.maintenance_run order by parent_table, phase"
    ).fetchall()
    return [(str(parent), str(phase), str(outcome)) for parent, phase, outcome in rows]


def test_one_broken_set_does_not_stop_the_others(owner: Connection) -> None:
    for name in ("app.a", "app.b", "app.c"):
        daily_set(owner, name)
    put_row_in_the_way(owner, "app.a")  # the first in pg_partman's order
    want_one_more_partition(owner)
    before = {name: len(partitions(owner, name)) for name in ("app.a", "app.b", "app.c")}

    owner.execute("update partwarden.setting set repair = 'off'")
    with pytest.raises(psycopg.errors.DataException, match=r"maintenance failed for 1 of 3 partition sets: app\.a"):
        owner.execute("call partwarden.maintain()")

    after = {name: len(partitions(owner, name)) for name in before}
    assert after == {"app.a": before["app.a"], "app.b": before["app.b"] + 1, "app.c": before["app.c"] + 1}
    assert runs(owner) == [
        ("app.a", "create", "failed"),
        ("app.b", "create", "succeeded"),
        ("app.c", "create", "succeeded"),
    ]
    failure = owner.execute(
        "select sqlstate, message, context from partwarden.maintenance_run where outcome = 'failed'"
    ).fetchone()
    assert failure is not None
    sqlstate, message, context = failure
    assert len(sqlstate) == 5
    assert message == 'updated partition constraint for default partition "a_default" would be violated by some row'
    assert "create_partition_time" in context


def test_a_second_call_while_one_runs_says_so(database: Database, owner: Connection) -> None:
    daily_set(owner, "app.a")
    want_one_more_partition(owner)
    blocker_dsn = with_application_name(database.owner_dsn, "blocker")
    errors: list[BaseException] = []

    def maintain() -> None:
        try:
            with psycopg.connect(database.owner_dsn, autocommit=True) as connection:
                connection.execute("call partwarden.maintain()")
        except psycopg.Error as error:
            errors.append(error)

    owner.execute("update partwarden.setting set lock_timeout = '30 seconds'")
    with psycopg.connect(blocker_dsn) as blocker:
        blocker.execute("lock table app.a in access exclusive mode")
        first = threading.Thread(target=maintain)
        first.start()
        wait_until(lambda: _waits_for_a_lock(owner), "the first call waits for the lock")
        with pytest.raises(psycopg.errors.ObjectInUse, match=r"is running already, since .* in process"):
            owner.execute("call partwarden.maintain()")
    first.join()
    assert errors == []
    assert runs(owner) == [("app.a", "create", "succeeded")]


def _waits_for_a_lock(connection: Connection) -> bool:
    return (
        connection.execute(
            "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
        ).fetchone()
        is not None
    )


def test_a_killed_call_does_not_keep_the_next_from_working(database: Database, owner: Connection) -> None:
    daily_set(owner, "app.a")
    daily_set(owner, "app.b")
    want_one_more_partition(owner)
    owner.execute("update partwarden.setting set lock_timeout = '30 seconds'")
    killed = threading.Event()

    def maintain() -> None:
        try:
            with psycopg.connect(with_application_name(database.owner_dsn, "victim"), autocommit=True) as connection:
                connection.execute("call partwarden.maintain()")
        except psycopg.OperationalError:
            killed.set()

    with psycopg.connect(database.owner_dsn) as blocker:
        blocker.execute("lock table app.b in access exclusive mode")
        call = threading.Thread(target=maintain)
        call.start()
        wait_until(lambda: _waits_for_a_lock(owner), "the call waits for the lock of its second set")
        owner.execute("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'victim'")
        call.join()
    assert killed.is_set()
    assert runs(owner) == [("app.a", "create", "succeeded")]  # what was committed stays

    owner.execute("call partwarden.maintain()")

    outcomes = owner.execute("select outcome from partwarden.maintenance order by id").fetchall()
    assert outcomes == [("interrupted",), ("succeeded",)]
    assert _advisory_locks(owner) == 0


def test_a_cancelled_call_leaves_no_lock_in_its_session(database: Database, owner: Connection) -> None:
    daily_set(owner, "app.a")
    want_one_more_partition(owner)
    owner.execute("update partwarden.setting set lock_timeout = '30 seconds'")
    with psycopg.connect(database.owner_dsn) as blocker:
        blocker.execute("lock table app.a in access exclusive mode")
        with cancelled(owner), pytest.raises(psycopg.errors.QueryCanceled):
            owner.execute("call partwarden.maintain()")
    assert _advisory_locks(owner) == 0
    with database.connect_owner() as another:
        another.execute("call partwarden.maintain()")
    assert runs(owner) == [("app.a", "create", "succeeded")]


@contextmanager
def cancelled(connection: Connection) -> Iterator[None]:
    """Cancel what is executed in the block, twice a second: where a wait for a lock ends as well, PostgreSQL tells of that."""
    ended = threading.Event()

    def cancel() -> None:
        while not ended.wait(0.5):
            connection.cancel_safe()

    thread = threading.Thread(target=cancel)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _advisory_locks(connection: Connection) -> int:
    row = connection.execute(
        "select count(*) from pg_locks where locktype = 'advisory' "
        "and database = (select oid from pg_database where datname = current_database())"
    ).fetchone()
    assert row is not None
    return int(row[0])


def test_no_lock_is_left_after_an_error(owner: Connection) -> None:
    daily_set(owner, "app.a")
    put_row_in_the_way(owner, "app.a")
    want_one_more_partition(owner)
    owner.execute("update partwarden.setting set repair = 'off'")
    with pytest.raises(psycopg.errors.DataException):
        owner.execute("call partwarden.maintain()")
    assert _advisory_locks(owner) == 0


def test_a_set_whose_table_is_locked_fails_in_time_and_the_others_do_not_wait(
    database: Database, owner: Connection
) -> None:
    daily_set(owner, "app.a")
    daily_set(owner, "app.b")
    want_one_more_partition(owner)
    owner.execute("update partwarden.setting set lock_timeout = '200 milliseconds'")
    with psycopg.connect(database.owner_dsn) as blocker:
        blocker.execute("lock table app.a in access exclusive mode")
        with pytest.raises(psycopg.errors.DataException, match=r"1 of 2 partition sets: app\.a"):
            owner.execute("call partwarden.maintain()")
    assert runs(owner) == [("app.a", "create", "failed"), ("app.b", "create", "succeeded")]
    message = owner.execute("select message from partwarden.maintenance_run where outcome = 'failed'").fetchone()
    assert message is not None
    assert message[0].startswith("could not lock app.a in short tries for 00:00:00.2: process ")


def test_an_error_in_retention_costs_no_partition(owner: Connection) -> None:
    """The article's own events_daily: a foreign key to itself and retention that drops tables."""
    owner.execute(
        """
        create table app.tree (
            id bigint not null, parent_id bigint, created_at timestamptz not null, primary key (id, created_at),
            foreign key (parent_id, created_at) references app.tree (id, created_at)
        ) partition by range (created_at)
        """
    )
    create_parent(owner, "app.tree", "1 day", p_premake=3, p_start_partition=_days_ago(owner, 10))
    owner.execute("insert into app.tree values (1, null, now() - interval '9 days'), (2, null, now())")
    owner.execute("insert into app.tree select 3, 1, created_at from app.tree where id = 1")
    owner.execute("update partman.part_config set infinite_time_partitions = true")
    owner.execute("select partman.run_maintenance('app.tree')")
    owner.execute("update partman.part_config set retention = '5 days', retention_keep_table = false, premake = 4")
    before = len(partitions(owner, "app.tree"))

    with pytest.raises(psycopg.errors.DataException, match=r"app\.tree"):
        owner.execute("call partwarden.maintain()")

    assert runs(owner) == [("app.tree", "create", "succeeded"), ("app.tree", "retention", "failed")]
    assert len(partitions(owner, "app.tree")) == before + 1
    retention = owner.execute("select retention from partman.part_config").fetchone()
    assert retention == ("5 days",)


def _days_ago(connection: Connection, days: int) -> str:
    row = connection.execute("select (current_date - %s)::text", (days,)).fetchone()
    assert row is not None
    return str(row[0])


def test_retention_detaches_what_is_too_old(owner: Connection) -> None:
    owner.execute("create table app.log (id int, created_at timestamptz not null) partition by range (created_at)")
    create_parent(owner, "app.log", "1 day", p_premake=3, p_start_partition=_days_ago(owner, 10))
    owner.execute("insert into app.log values (1, now())")
    owner.execute("update partman.part_config set infinite_time_partitions = true, retention = '5 days'")
    owner.execute("call partwarden.maintain()")
    row = owner.execute(
        "select partitions_dropped from partwarden.maintenance_run where phase = 'retention'"
    ).fetchone()
    assert row in [(4,), (5,)]  # ten days back; pg_partman 4 starts one partition earlier
    assert runs(owner) == [("app.log", "create", "succeeded"), ("app.log", "retention", "succeeded")]


def test_a_taken_name_that_leaves_a_hole_counts_as_failed(owner: Connection) -> None:
    """pg_partman skips a partition whose name is taken, and says nothing at all."""
    daily_set(owner, "app.a", premake=3)
    newest = max(name for name in partitions(owner, "app.a") if name != "a_default")
    owner.execute(f"alter table app.a detach partition app.{newest}")
    want_one_more_partition(owner)
    with pytest.raises(psycopg.errors.DataException):
        owner.execute("call partwarden.maintain()")
    message = owner.execute("select message from partwarden.maintenance_run where outcome = 'failed'").fetchone()
    assert message is not None
    assert "app.a" in message[0]


def test_another_session_with_pg_partmans_lock_is_named(database: Database, owner: Connection) -> None:
    daily_set(owner, "app.a")
    with psycopg.connect(database.owner_dsn, autocommit=True) as other:
        other.execute("select pg_advisory_lock(hashtext('pg_partman run_maintenance'))")
        holder = other.info.backend_pid
        with pytest.raises(psycopg.errors.DataException):
            owner.execute("call partwarden.maintain()")
        message = owner.execute("select message, hint from partwarden.maintenance_run").fetchone()
    assert message is not None
    assert message[0] == f"pg_partman's maintenance lock is held by process {holder}"
    assert str(holder) in message[1]


def test_an_orphaned_configuration_row_fails_alone(owner: Connection) -> None:
    daily_set(owner, "app.a")
    daily_set(owner, "app.gone")
    owner.execute("drop table app.gone")
    with pytest.raises(psycopg.errors.DataException, match=r"app\.gone"):
        owner.execute("call partwarden.maintain()")
    assert ("app.a", "create", "succeeded") in runs(owner)


def test_id_sets_are_kept_ahead_of_their_highest_id(owner: Connection) -> None:
    owner.execute("create table app.orders (id bigint primary key) partition by range (id)")
    create_parent(owner, "app.orders", "1000", p_control="id", p_premake=3, p_start_partition="0")
    owner.execute("insert into app.orders select generate_series(1, 3500)")
    owner.execute("call partwarden.maintain()")
    highest = owner.execute(
        "select max((regexp_match(pg_get_expr(relpartbound, oid), 'TO \\(''(\\d+)''\\)'))[1]::bigint) "
        "from pg_class join pg_inherits on inhrelid = oid where inhparent = 'app.orders'::regclass"
    ).fetchone()
    assert highest == (7000,)


@pytest.mark.parametrize("name", ['Weird "Table", ünï', "x" * 50])
def test_names_that_need_quoting_are_maintained(owner: Connection, name: str) -> None:
    daily_set(owner, f"app.{name}")
    want_one_more_partition(owner)
    before = len(partitions(owner, f"app.{name}"))
    owner.execute("call partwarden.maintain()")
    assert len(partitions(owner, f"app.{name}")) == before + 1


def test_sub_partitioned_sets_are_maintained(owner: Connection, database: Database) -> None:
    owner.execute(
        "create table app.hourly (id bigint, created_at timestamptz not null, event_date timestamptz not null) "
        "partition by range (created_at)"
    )
    create_parent(owner, "app.hourly", "1 day", p_premake=1, p_start_partition=_days_ago(owner, 2))
    create_sub_parent(owner, "app.hourly", "event_date", "1 hour", p_premake=24)
    owner.execute("update partman.part_config set infinite_time_partitions = true")
    owner.execute("insert into app.hourly values (1, now(), now())")
    owner.execute("call partwarden.maintain()")
    owner.execute("call partwarden.maintain()")
    assert {outcome for _, _, outcome in runs(owner)} == {"succeeded"}
    assert owner.execute("select * from partwarden.run_checks() where skipped is null").fetchall() == []
