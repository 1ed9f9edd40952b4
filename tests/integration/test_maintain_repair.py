"""partwarden.maintain() moves the rows that are in the way first, as far as it is allowed to, and says so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql

from partwarden.database import Connection
from partwarden.install import install
from tests.maintenance import (
    count,
    fill_default,
    kill,
    maintain,
    maintaining_held_at,
    wait_until_held,
    want_more_partitions,
)
from tests.partition_sets import create_parent, daily_set, partitions, partman_version, want_one_more_partition
from tests.servers import Database


@pytest.fixture
def owner(database: Database) -> Iterator[Connection]:
    """An ordinary role's connection to a database that has partwarden."""
    with database.connect_owner() as connection:
        install(connection)
        connection.execute("create schema app")
        yield connection


def daily(connection: Connection, parent: str) -> None:
    """A set by day of which pg_partman counts from its partitions only."""
    daily_set(connection, parent)
    connection.execute("update partman.part_config set ignore_default_data = true where parent_table = %s", (parent,))


def put_rows(connection: Connection, parent: str, days: int, number: int = 1) -> None:
    """Rows that lie so many days behind the end of the last partition: 0 is the next one to be made."""
    connection.execute(
        sql.SQL(
            "insert into {name} (id, created_at) select 1000 * {days} + n,"
            " (select max((regexp_match(pg_get_expr(relpartbound, oid), 'TO \\(''(.+)''\\)'))[1]::timestamptz)"
            " from pg_class join pg_inherits on inhrelid = oid where inhparent = {literal}::regclass)"
            " + {days} * interval '1 day' + n * interval '1 second' from generate_series(1, {number}) n"
        ).format(
            name=sql.Identifier(*parent.split(".", 1)),
            literal=sql.Literal(sql.Identifier(*parent.split(".", 1)).as_string(connection)),
            days=sql.Literal(days),
            number=sql.Literal(number),
        )
    )


def runs(connection: Connection) -> list[tuple[str, str, str]]:
    rows = connection.execute(
        "select parent_table, phase, outcome from partwarden.maintenance_run order by id"
    ).fetchall()
    return [(str(parent), str(phase), str(outcome)) for parent, phase, outcome in rows]


def repairs(connection: Connection) -> list[tuple[str, int, int]]:
    rows = connection.execute(
        "select parent_table, partitions, rows_moved from partwarden.repair where partitions > 0 order by id"
    ).fetchall()
    return [(str(parent), int(made), int(moved)) for parent, made, moved in rows]


def test_rows_in_the_way_are_moved_and_maintenance_goes_on(database: Database, owner: Connection) -> None:
    daily(owner, "app.a")
    want_more_partitions(owner, 3)
    before = len(partitions(owner, "app.a"))
    put_rows(owner, "app.a", 0, 10)
    put_rows(owner, "app.a", 2, 5)
    everything = count(owner, "app.a")

    assert maintain(database).error is None

    assert runs(owner) == [("app.a", "repair", "succeeded"), ("app.a", "create", "succeeded")]
    assert repairs(owner) == [("app.a", 3, 15)]  # the one in between has no rows, but would be a gap
    assert count(owner, "app.a_default") == 0
    assert count(owner, "app.a") == everything
    assert len(partitions(owner, "app.a")) >= before + 3
    assert (
        owner.execute("select check_id, object, summary from partwarden.run_checks() where skipped is null").fetchall()
        == []
    )


def test_rows_that_are_not_in_the_way_stay(database: Database, owner: Connection) -> None:
    """What is far ahead is somebody's mistake, and what is long ago harms nobody."""
    daily(owner, "app.a")
    want_one_more_partition(owner)
    put_rows(owner, "app.a", 400)
    put_rows(owner, "app.a", -800)
    assert maintain(database).error is None
    assert runs(owner) == [("app.a", "create", "succeeded")]
    assert count(owner, "app.a_default") == 2


def test_rows_where_nothing_is_due_stay_until_it_is(database: Database, owner: Connection) -> None:
    daily(owner, "app.a")
    put_rows(owner, "app.a", 0)
    assert maintain(database).error is None
    assert count(owner, "app.a_default") == 1
    want_one_more_partition(owner)
    assert maintain(database).error is None
    assert count(owner, "app.a_default") == 0


def test_repair_off_moves_nothing(database: Database, owner: Connection) -> None:
    daily(owner, "app.a")
    owner.execute("update partwarden.setting set repair = 'off'")
    want_one_more_partition(owner)
    put_rows(owner, "app.a", 0)
    assert isinstance(maintain(database).error, psycopg.errors.DataException)
    assert runs(owner) == [("app.a", "create", "failed")]
    assert count(owner, "app.a_default") == 1
    assert repairs(owner) == []


def test_small_is_up_to_so_many_rows_and_always_is_any_number(database: Database, owner: Connection) -> None:
    daily(owner, "app.a")
    owner.execute("update partwarden.setting set repair_rows = 9")
    want_one_more_partition(owner)
    put_rows(owner, "app.a", 0, 10)
    assert isinstance(maintain(database).error, psycopg.errors.DataException)
    assert count(owner, "app.a_default") == 10

    owner.execute("update partwarden.setting set repair = 'always'")
    assert maintain(database).error is None
    assert count(owner, "app.a_default") == 0
    assert repairs(owner) == [("app.a", 1, 10)]


def test_exactly_so_many_rows_are_small(database: Database, owner: Connection) -> None:
    daily(owner, "app.a")
    owner.execute("update partwarden.setting set repair_rows = 10")
    want_one_more_partition(owner)
    put_rows(owner, "app.a", 0, 10)
    assert maintain(database).error is None
    assert repairs(owner) == [("app.a", 1, 10)]


def test_few_rows_in_a_big_default_partition_are_not_small(database: Database, owner: Connection) -> None:
    """Each new partition would be attached under a lock while all of it is read."""
    owner.execute(
        "create table app.a (id bigint not null, created_at timestamptz not null, payload text)"
        " partition by range (created_at)"
    )
    create_parent(owner, "app.a", "1 day", p_premake=3)
    owner.execute("update partman.part_config set infinite_time_partitions = true, ignore_default_data = true")
    assert maintain(database).error is None
    fill_default(owner, "app.a", 65)
    want_one_more_partition(owner)
    put_rows(owner, "app.a", 0)
    old = count(owner, "app.a_default") - 1
    assert isinstance(maintain(database).error, psycopg.errors.DataException)
    assert count(owner, "app.a_default") == old + 1

    owner.execute("insert into partwarden.set_policy values ('app.a', 'always')")
    assert maintain(database).error is None
    assert count(owner, "app.a_default") == old


def test_each_set_may_have_a_policy_of_its_own(database: Database, owner: Connection) -> None:
    owner.execute("update partwarden.setting set repair_rows = 5")
    owner.execute("insert into partwarden.set_policy values ('app.never', 'off'), ('app.ever', 'always')")
    for name, rows in (("app.ever", 10), ("app.never", 1), ("app.other", 5)):
        daily(owner, name)
        put_rows(owner, name, 0, rows)
    want_one_more_partition(owner)
    call = maintain(database)
    assert isinstance(call.error, psycopg.errors.DataException)
    assert "1 of 3 partition sets: app.never" in str(call.error)
    assert repairs(owner) == [("app.ever", 1, 10), ("app.other", 1, 5)]
    with pytest.raises(psycopg.errors.CheckViolation):
        owner.execute("insert into partwarden.set_policy values ('app.more', 'sometimes')")


CONTROLS = {
    "date": ("date", "1 day", {}, "current_date", "current_date + 7 + n"),
    "timestamp": ("timestamp", "1 week", {}, "now()", "now() + interval '40 days' + n * interval '3 days'"),
    "bigint": ("bigint", "1000", {"p_start_partition": "0"}, "3500", "9000 + n * 300"),
    "numeric": ("numeric", "1000", {"p_start_partition": "0"}, "3500", "9000.5 + n * 300"),
    "epoch": ("bigint", "1 day", {"p_epoch": "seconds"}, "extract(epoch from now())::bigint",
              "extract(epoch from now())::bigint + 7 * 86400 + n * 40000"),
    "uuid": ("uuid", "1 day",
             {"p_time_encoder": "partman.uuid7_time_encoder", "p_time_decoder": "partman.uuid7_time_decoder"},
             "partman.uuid7_time_encoder(now())",
             "partman.uuid7_time_encoder(now() + interval '7 days' + n * interval '9 hours')"),
}  # fmt: skip


@pytest.mark.parametrize("control", CONTROLS)
def test_rows_of_any_control_column_are_moved(database: Database, owner: Connection, control: str) -> None:
    kind, interval, arguments, now, ahead = CONTROLS[control]
    version = partman_version(owner)
    if (kind == "uuid" and version.startswith("4.")) or (kind == "numeric" and not version.startswith("5.5")):
        pytest.skip(f"pg_partman {version} does not take it")
    owner.execute(f'create table app.things ("At" {kind} not null, n integer) partition by range ("At")'.encode())
    create_parent(owner, "app.things", interval, p_control="At", p_premake=4, **arguments)
    owner.execute("update partman.part_config set infinite_time_partitions = true, ignore_default_data = true")
    owner.execute(f"insert into app.things select {now}, 0".encode())
    assert maintain(database).error is None
    owner.execute(f"insert into app.things select {ahead}, n from generate_series(1, 9) n".encode())
    strays = count(owner, "app.things_default")
    assert strays > 0
    want_more_partitions(owner, 8)

    assert maintain(database).error is None

    assert count(owner, "app.things_default") == 0
    assert count(owner, "app.things") == 10
    assert sum(moved for _, _, moved in repairs(owner)) == strays


@pytest.mark.parametrize("name", ['a "b"', 'Weird "Table", ünï', "x" * 63, "d$$d"])
def test_names_that_need_quoting_are_repaired(database: Database, owner: Connection, name: str) -> None:
    parent = f"app.{name}"
    daily(owner, parent)
    put_rows(owner, parent, 0, 3)
    want_one_more_partition(owner)
    assert maintain(database).error is None
    assert repairs(owner) == [(parent, 1, 3)]


def test_a_repair_that_fails_is_kept_and_costs_the_others_nothing(database: Database, owner: Connection) -> None:
    """Row-level security hides rows from the owner of the first set: it could not say what it moves."""
    for name in ("app.a", "app.b"):
        daily(owner, name)
        put_rows(owner, name, 0)
    owner.execute("alter table app.a_default enable row level security")
    owner.execute("alter table app.a_default force row level security")
    owner.execute("create policy mine on app.a_default using (id > 0)")
    want_one_more_partition(owner)
    call = maintain(database)
    assert isinstance(call.error, psycopg.errors.DataException)
    assert "1 of 2 partition sets: app.a" in str(call.error)
    assert repairs(owner) == [("app.b", 1, 1)]
    kept = owner.execute(
        "select message from partwarden.maintenance_run where parent_table = 'app.a' and outcome = 'failed'"
    ).fetchone()
    assert kept is not None
    assert "row-level security" in kept[0]

    owner.execute("alter table app.a_default disable row level security")
    assert maintain(database).error is None
    owner.execute("call partwarden.monitor()")
    assert owner.execute("select check_id from partwarden.incident where resolved_at is null").fetchall() == []


def test_a_repair_whose_locks_cannot_be_had_says_who_has_them(database: Database, owner: Connection) -> None:
    daily(owner, "app.a")
    put_rows(owner, "app.a", 0)
    want_one_more_partition(owner)
    owner.execute("update partwarden.setting set lock_timeout = '300 milliseconds'")
    with psycopg.connect(database.owner_dsn) as blocker:
        blocker.execute("select from app.a")
        maintain(database)
        kept = owner.execute("select message from partwarden.maintenance_run where outcome = 'failed'").fetchone()
        assert kept is not None
        assert f"process {blocker.info.backend_pid}" in kept[0]
        assert "could not be moved" in kept[0]
    assert count(owner, "app.a_default") == 1
    assert maintain(database).error is None
    assert count(owner, "app.a_default") == 0


def test_killed_in_the_middle_of_a_repair_no_row_is_lost_and_the_next_call_goes_on(
    database: Database, owner: Connection
) -> None:
    daily(owner, "app.a")
    want_more_partitions(owner, 3)
    for day in range(3):
        put_rows(owner, "app.a", day, 10)
    with maintaining_held_at(database, "second interval") as call:
        wait_until_held(owner)
        kill(owner)
        assert isinstance(call.wait().error, psycopg.OperationalError)
    assert count(owner, "app.a") == 30
    assert count(owner, "app.a_default") == 20
    assert repairs(owner) == [("app.a", 1, 10)]

    assert maintain(database).error is None

    assert count(owner, "app.a") == 30
    assert count(owner, "app.a_default") == 0
    assert sum(moved for _, _, moved in repairs(owner)) == 30


def test_what_was_repaired_is_said_when_the_incident_is_over(database: Database, owner: Connection) -> None:
    daily(owner, "app.a")
    want_more_partitions(owner, 3)
    for day in range(3):
        put_rows(owner, "app.a", day, 411 + day)
    owner.execute("call partwarden.monitor()")
    assert maintain(database).error is None
    owner.execute("call partwarden.monitor()")

    message, payload = newest_notification(owner)

    assert message.count("RESOLVED  app.a") >= 1
    assert " repaired 1,236 rows moved from the default partition into 3 partitions, 20" in " ".join(message.split())
    assert {each["check"] for each in payload["incidents"]} >= {"default-blocks-maintenance", "default-not-empty"}
    for incident in payload["incidents"]:
        assert incident["repaired"].startswith("1,236 rows moved from the default partition into 3 partitions, 20")


def newest_notification(connection: Connection) -> tuple[str, dict[str, Any]]:
    row = connection.execute(
        "select message, payload from partwarden.notification order by number desc limit 1"
    ).fetchone()
    assert row is not None
    return row[0], row[1]


def test_one_row_is_said_to_be_one(database: Database, owner: Connection) -> None:
    daily(owner, 'app.A "b"')
    want_one_more_partition(owner)
    put_rows(owner, 'app.A "b"', 0)
    owner.execute("call partwarden.monitor()")
    assert maintain(database).error is None
    owner.execute("call partwarden.monitor()")
    message = " ".join(newest_notification(owner)[0].split())
    assert " repaired 1 row moved from the default partition into 1 partition, 20" in message


def test_an_incident_that_ends_without_a_repair_says_nothing_of_one(database: Database, owner: Connection) -> None:
    daily(owner, "app.a")
    put_rows(owner, "app.a", 0)
    want_one_more_partition(owner)
    assert maintain(database).error is None  # a repair of another time
    put_rows(owner, "app.a", -900)
    owner.execute("call partwarden.monitor()")
    owner.execute("delete from app.a_default")
    owner.execute("call partwarden.monitor()")
    message, payload = newest_notification(owner)
    assert "RESOLVED  app.a  default-not-empty" in message
    assert "repaired" not in message
    assert [incident.get("repaired") for incident in payload["incidents"]] == [None]
