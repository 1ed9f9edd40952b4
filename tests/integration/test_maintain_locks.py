"""partwarden.maintain() asks for locks in short tries: nobody waits behind it, and who is in its way is named."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from partwarden.database import Connection
from partwarden.install import install
from tests.maintenance import SESSION, count, maintain, maintaining, session, writing
from tests.partition_sets import create_parent, daily_set, partitions, want_one_more_partition
from tests.servers import OWNER, Database, with_application_name
from tests.waiting import wait_until

INSERT = b"insert into app.a values (%s, now() - interval '1 year')"


@pytest.fixture
def owner(database: Database) -> Iterator[Connection]:
    """An ordinary role's connection to a database that has partwarden."""
    with database.connect_owner() as connection:
        install(connection)
        connection.execute("create schema app")
        yield connection


def failure(connection: Connection) -> tuple[str, str, str]:
    """Of the newest run that failed: code, message and hint."""
    row = connection.execute(
        "select sqlstate, message, hint from partwarden.maintenance_run where outcome = 'failed' order by id desc limit 1"
    ).fetchone()
    assert row is not None
    return row[0], row[1], row[2]


def runs(connection: Connection) -> list[tuple[str, str, str]]:
    rows = connection.execute(
        "select parent_table, phase, outcome from partwarden.maintenance_run order by parent_table, phase"
    ).fetchall()
    return [(str(parent), str(phase), str(outcome)) for parent, phase, outcome in rows]


def give_up_after(connection: Connection, patience: str) -> None:
    connection.execute("update partwarden.setting set lock_timeout = %s", (patience,))


def insert(connection: Connection, number: int) -> None:
    """A row of long ago, which goes to the default partition."""
    connection.execute(INSERT, (number,))


def test_writers_do_not_wait_behind_maintenance_that_waits_for_a_reader(database: Database, owner: Connection) -> None:
    daily_set(owner, "app.a")
    want_one_more_partition(owner)
    give_up_after(owner, "2 seconds")
    with psycopg.connect(database.owner_dsn) as reader, writing(database.owner_dsn, insert) as writer:
        reader.execute("select from app.a_default")
        call = maintain(database)
    assert isinstance(call.error, psycopg.errors.DataException)
    assert writer.errors == []
    # One try, and what a busy machine adds to it; a queue would have lasted for two seconds.
    assert writer.longest < 0.5
    assert writer.done > 50


def test_a_lock_that_is_given_back_in_time_costs_nothing(database: Database, owner: Connection) -> None:
    daily_set(owner, "app.a")
    want_one_more_partition(owner)
    give_up_after(owner, "30 seconds")
    before = len(partitions(owner, "app.a"))
    with psycopg.connect(database.owner_dsn) as reader:
        reader.execute("select from app.a_default")
        with maintaining(database) as call:
            wait_until(lambda: pauses(owner), "maintenance pauses between two tries")
            reader.rollback()
    assert call.error is None
    assert len(partitions(owner, "app.a")) == before + 1
    assert runs(owner) == [("app.a", "create", "succeeded")]


def pauses(connection: Connection) -> bool:
    return (
        count(
            connection,
            "pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'"
            f" and application_name = '{SESSION}'",
        )
        > 0
    )


@pytest.mark.parametrize(
    "lock",
    ["select from app.a_default", "lock table only app.a in share mode", "lock table app.a in access exclusive mode"],
)
def test_who_is_in_the_way_is_named_with_process_role_and_statement(
    database: Database, owner: Connection, lock: str
) -> None:
    daily_set(owner, "app.a")
    want_one_more_partition(owner)
    give_up_after(owner, "300 milliseconds")
    with psycopg.connect(with_application_name(database.owner_dsn, "blocker")) as blocker:
        blocker.execute(lock.encode())
        pid = session(owner, "blocker")
        maintain(database)
        sqlstate, message, hint = failure(owner)
    assert sqlstate == "55P03"
    assert f"process {pid} ({OWNER})" in message
    assert "idle in transaction" in message
    assert lock in message
    assert hint == f"select pg_terminate_backend({pid});"


def test_the_finding_names_who_is_in_the_way(database: Database, owner: Connection) -> None:
    daily_set(owner, "app.a")
    want_one_more_partition(owner)
    give_up_after(owner, "100 milliseconds")
    with psycopg.connect(with_application_name(database.owner_dsn, "blocker")) as blocker:
        blocker.execute("select from app.a_default")
        pid = session(owner, "blocker")
        maintain(database)
    owner.execute("call partwarden.monitor()")
    mail = owner.execute("select message from partwarden.notification").fetchone()
    assert mail is not None
    assert "app.a  maintenance-stale" in mail[0]
    assert f"process {pid} ({OWNER})" in " ".join(mail[0].split())
    assert "select from app.a_default" in " ".join(mail[0].split())


def test_of_another_roles_session_the_process_is_named(database: Database, owner: Connection) -> None:
    """What it does is hidden from an ordinary role without pg_monitor."""
    daily_set(owner, "app.a")
    want_one_more_partition(owner)
    give_up_after(owner, "100 milliseconds")
    with psycopg.connect(with_application_name(database.dsn, "blocker")) as blocker:
        blocker.execute("select from app.a_default")
        pid = session(owner, "blocker")
        maintain(database)
        message = failure(owner)[1]
    assert f"process {pid}" in message
    assert "app.a_default" in message


def test_a_set_with_nothing_due_waits_for_no_reader(database: Database, owner: Connection) -> None:
    daily_set(owner, "app.a")
    with psycopg.connect(database.owner_dsn) as reader:
        reader.execute("select from app.a")
        assert maintain(database).error is None


def test_a_locked_set_keeps_the_others_waiting_no_longer_than_it_is_tried(
    database: Database, owner: Connection
) -> None:
    for name in ("app.a", "app.b", "app.c"):
        daily_set(owner, name)
    want_one_more_partition(owner)
    give_up_after(owner, "300 milliseconds")
    with psycopg.connect(database.owner_dsn) as blocker:
        blocker.execute("select from app.a_default")
        maintain(database)
    assert runs(owner) == [
        ("app.a", "create", "failed"),
        ("app.b", "create", "succeeded"),
        ("app.c", "create", "succeeded"),
    ]


def test_a_table_that_a_foreign_key_leads_to_is_looked_at_too(database: Database, owner: Connection) -> None:
    owner.execute("create table app.organization (id bigint primary key)")
    daily_set(owner, "app.a")
    owner.execute("alter table app.a add foreign key (id) references app.organization")
    want_one_more_partition(owner)
    give_up_after(owner, "200 milliseconds")
    with psycopg.connect(with_application_name(database.owner_dsn, "blocker")) as blocker:
        blocker.execute("insert into app.organization values (1)")
        pid = session(owner, "blocker")
        maintain(database)
        sqlstate, message, _ = failure(owner)
    assert sqlstate == "55P03"
    assert f"process {pid} ({OWNER}) holds RowExclusiveLock on app.organization" in message
    assert maintain(database).error is None


def test_a_vacuum_on_the_default_partition_is_waited_for_and_nobody_else_waits(
    database: Database, owner: Connection
) -> None:
    """A wait that is longer than a try, in a mode that keeps no reader and no writer from going on."""
    daily_set(owner, "app.a")
    want_one_more_partition(owner)
    give_up_after(owner, "30 seconds")
    with psycopg.connect(database.owner_dsn) as vacuum, writing(database.owner_dsn, insert) as writer:
        vacuum.execute("lock table app.a_default in share update exclusive mode")
        with maintaining(database) as call:
            wait_until(lambda: waits_for_a_lock(owner), "maintenance waits")
            seen = writer.done
            wait_until(lambda: writer.done > seen + 100, "writers go on")
            assert waits_for_a_lock(owner)
            vacuum.rollback()
    assert call.error is None
    assert writer.errors == []
    assert writer.longest < 0.5


def waits_for_a_lock(connection: Connection) -> bool:
    return (
        count(
            connection,
            "pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
            f" and application_name = '{SESSION}'",
        )
        > 0
    )


def test_retention_names_who_is_in_its_way_and_costs_no_partition(database: Database, owner: Connection) -> None:
    owner.execute("create table app.a (id bigint, created_at timestamptz not null) partition by range (created_at)")
    start = owner.execute("select (current_date - 10)::text").fetchone()
    assert start is not None
    create_parent(owner, "app.a", "1 day", p_premake=3, p_start_partition=start[0])
    owner.execute(
        "update partman.part_config set infinite_time_partitions = true, ignore_default_data = true, retention = '5 days'"
    )
    assert maintain(database).error is None
    owner.execute("update partman.part_config set retention = '3 days', premake = premake + 1")
    before = len(partitions(owner, "app.a"))
    oldest = min(name for name in partitions(owner, "app.a") if name != "a_default")
    give_up_after(owner, "300 milliseconds")
    with (
        psycopg.connect(with_application_name(database.owner_dsn, "blocker")) as blocker,
        writing(database.owner_dsn, insert) as writer,
    ):
        blocker.execute(f"select from app.{oldest}".encode())
        pid = session(owner, "blocker")
        call = maintain(database)
        sqlstate, message, _ = failure(owner)
    assert isinstance(call.error, psycopg.errors.DataException)
    assert ("app.a", "retention", "failed") in runs(owner)
    assert len(partitions(owner, "app.a")) == before + 1
    assert sqlstate == "55P03"
    assert f"process {pid}" in message
    assert writer.errors == []
    assert writer.longest < 0.5

    assert maintain(database).error is None
    assert len(partitions(owner, "app.a")) < before


def test_the_time_for_one_try_can_be_set(owner: Connection) -> None:
    owner.execute("update partwarden.setting set lock_wait = '50 milliseconds'")
    with owner.transaction():
        owner.execute("select partwarden.use_lock_wait()")
        assert owner.execute("show lock_timeout").fetchone() == ("50ms",)
    with pytest.raises(psycopg.errors.CheckViolation):
        owner.execute("update partwarden.setting set lock_wait = '0'")
