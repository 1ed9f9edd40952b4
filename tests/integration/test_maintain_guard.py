"""Partitions are attached beside a big default partition without reading it, and nobody's row is refused or lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest
from psycopg import sql

from partwarden.database import Connection
from partwarden.install import install, uninstall
from tests.maintenance import (
    SESSION,
    big_default_set,
    count,
    default_partition,
    ends_at,
    fill_default,
    guard_objects,
    held_at,
    kill,
    maintain,
    maintaining,
    maintaining_held_at,
    wait_until_held,
    want_more_partitions,
    writing,
)
from tests.partition_sets import create_parent, partitions, partman_version
from tests.servers import Database
from tests.waiting import wait_until

MORE = 4
IN_THE_WAY = "insert into app.events (id, created_at) values (%s, %s::timestamptz + interval '3 hours')"


@pytest.fixture
def owner(database: Database) -> Iterator[Connection]:
    """An ordinary role's connection to a database that has partwarden."""
    with database.connect_owner() as connection:
        install(connection)
        connection.execute("create schema app")
        yield connection


def runs(connection: Connection) -> list[tuple[str, str]]:
    rows = connection.execute("select phase, outcome from partwarden.maintenance_run order by id").fetchall()
    return [(str(phase), str(outcome)) for phase, outcome in rows]


def test_a_big_default_partition_is_not_read_for_each_partition(database: Database, owner: Connection) -> None:
    big_default_set(owner, "app.events")
    want_more_partitions(owner, MORE)
    before = len(partitions(owner, "app.events"))
    call = maintain(database)
    assert call.error is None
    assert len(partitions(owner, "app.events")) == before + MORE
    assert call.default_partitions_not_read == MORE
    assert guard_objects(owner) == []
    assert runs(owner) == [("create", "succeeded")]
    made = owner.execute("select partitions_made from partwarden.maintenance_run").fetchone()
    assert made == (MORE,)


def test_a_small_default_partition_has_no_guard(database: Database, owner: Connection) -> None:
    big_default_set(owner, "app.events", megabytes=1)
    want_more_partitions(owner, 1)
    call = maintain(database)
    assert call.error is None
    assert call.default_partitions_not_read == 0


def test_a_set_that_needs_no_partition_has_no_guard(database: Database, owner: Connection) -> None:
    big_default_set(owner, "app.events")
    with held_at(database, "placed"):
        assert maintain(database).error is None


CONTROLS = {
    "date": ("date", "1 day", {}, "current_date - 400 - n", "current_date"),
    "timestamp": ("timestamp", "1 month", {}, "now() - interval '9 years' - n * interval '1 minute'", "now()"),
    "bigint": ("bigint", "1000", {"p_start_partition": "5000"}, "n", "5500"),
    "numeric": ("numeric", "1000", {"p_start_partition": "5000"}, "n + 0.5", "5500.5"),
    "epoch": ("bigint", "1 day", {"p_epoch": "seconds"}, "n", "floor(extract(epoch from now()))"),
    "milliseconds": ("bigint", "1 day", {"p_epoch": "milliseconds"}, "n", "floor(extract(epoch from now())) * 1000"),
    "uuid": (
        "uuid",
        "1 day",
        {"p_time_encoder": "partman.uuid7_time_encoder", "p_time_decoder": "partman.uuid7_time_decoder"},
        "partman.uuid7_time_encoder(now() - interval '1 year' - n * interval '1 minute')",
        "partman.uuid7_time_encoder(now())",
    ),
}


@pytest.mark.parametrize("control", CONTROLS)
def test_any_control_column_is_guarded(database: Database, owner: Connection, control: str) -> None:
    kind, interval, arguments, old, new = CONTROLS[control]
    version = partman_version(owner)
    if (kind == "uuid" and version.startswith("4.")) or (kind == "numeric" and not version.startswith("5.5")):
        pytest.skip(f"pg_partman {version} does not take it")
    column = 'a "column"'
    owner.execute(
        sql.SQL("create table app.things ({} {} not null, payload text) partition by range ({})").format(
            sql.Identifier(column), sql.SQL(kind), sql.Identifier(column)
        )
    )
    create_parent(owner, "app.things", interval, p_control=column, p_premake=3, **arguments)
    owner.execute("update partman.part_config set infinite_time_partitions = true, ignore_default_data = true")
    owner.execute(f"insert into app.things select {new}, 'x'".encode())
    assert maintain(database).error is None
    owner.execute("alter table app.things_default set (fillfactor = 10)")
    owner.execute(f"insert into app.things select {old}, repeat('x', 600) from generate_series(1, 2200) n".encode())
    # pg_partman wants the column NOT NULL; somebody may have taken that back.
    owner.execute('alter table app.things alter "a ""column""" drop not null')
    owner.execute("insert into app.things values (null, 'a row of no time')")
    want_more_partitions(owner, 3)

    call = maintain(database)

    assert call.error is None
    assert call.default_partitions_not_read == 3
    assert guard_objects(owner) == []
    assert count(owner, "app.things_default") == 2201


@pytest.mark.parametrize("name", ['a "b"', 'Weird "Table", ünï', "x" * 63, "d$$d"])
def test_names_that_need_quoting_are_guarded(database: Database, owner: Connection, name: str) -> None:
    big_default_set(owner, f"app.{name}")
    want_more_partitions(owner, 2)
    call = maintain(database)
    assert call.error is None
    assert call.default_partitions_not_read == 2
    assert guard_objects(owner) == []


def test_a_schema_whose_name_needs_quoting(database: Database, owner: Connection) -> None:
    owner.execute(sql.SQL("create schema {}").format(sql.Identifier('My "Schema"')))
    big_default_set(owner, 'My "Schema".events')
    want_more_partitions(owner, 2)
    call = maintain(database)
    assert call.error is None
    assert call.default_partitions_not_read == 2
    assert guard_objects(owner) == []


@pytest.mark.parametrize("stage", ["placed", "put away"])
def test_a_row_that_comes_meanwhile_is_neither_refused_nor_lost(
    database: Database, owner: Connection, stage: str
) -> None:
    big_default_set(owner, "app.events")
    end = ends_at(owner, "app.events")
    want_more_partitions(owner, MORE)
    before = len(partitions(owner, "app.events"))
    with maintaining_held_at(database, stage) as call:
        wait_until_held(owner)
        owner.execute(IN_THE_WAY, (1, end))
    assert call.error is None
    assert count(owner, "app.events where id = 1") == 1
    assert count(owner, "app.events_default where id > 0") == 0
    assert len(partitions(owner, "app.events")) >= before + MORE
    assert guard_objects(owner) == []


@contextmanager
def before_attaching(database: Database) -> Iterator[None]:
    """Keep maintain() from attaching anything during the block, which begins when its guard is validated.

    What it waits for then is a lock that keeps DDL out and nobody else: others go on writing.
    """
    with psycopg.connect(database.owner_dsn) as blocker, database.connect_owner() as watching:
        blocker.execute("lock table only app.events in share update exclusive mode")
        watching.execute("update partwarden.setting set lock_timeout = '30 seconds'")
        with maintaining(database) as call:
            wait_until(
                lambda: count(watching, "pg_constraint where conname = 'partwarden_guard' and convalidated"),
                "the guard is validated",
            )
            yield
            blocker.rollback()
        assert call.error is None or "terminating connection" in str(call.error)


def test_rows_that_come_after_the_proof_are_noticed_and_moved(database: Database, owner: Connection) -> None:
    big_default_set(owner, "app.events")
    end = ends_at(owner, "app.events")
    want_more_partitions(owner, MORE)
    with before_attaching(database):
        owner.execute(IN_THE_WAY, (1, end))
        # As a partition whose row becomes one that is in the way, and as one that is written without the parent.
        owner.execute("update app.events set created_at = %s::timestamptz + interval '2 days' where id = -1", (end,))
        owner.execute("insert into app.events_default (id, created_at) values (2, %s)", (end,))
    assert count(owner, "app.events where id in (-1, 1, 2)") == 3
    assert count(owner, f"app.events_default where created_at >= '{end}'") == 0
    assert guard_objects(owner) == []
    assert owner.execute("select rows_moved from partwarden.repair").fetchall() == [(3,)]


def test_rows_of_replication_are_noticed_too(database: Database, owner: Connection) -> None:
    """What replicates, or restores, sets a role in which ordinary triggers do not fire."""
    big_default_set(owner, "app.events")
    end = ends_at(owner, "app.events")
    want_more_partitions(owner, MORE)
    with before_attaching(database), database.connect() as superuser:
        superuser.execute("set session_replication_role = replica")
        with superuser.cursor().copy("copy app.events (id, created_at) from stdin") as copy:
            copy.write_row((1, end))
    assert count(owner, "app.events where id = 1") == 1
    assert count(owner, "app.events_default where id > 0") == 0


def test_rows_that_come_while_triggers_are_disabled_are_found_by_looking(database: Database, owner: Connection) -> None:
    """Who loads data disables triggers, and enables them again afterwards; they come back as ordinary ones."""
    big_default_set(owner, "app.events")
    end = ends_at(owner, "app.events")
    want_more_partitions(owner, MORE)
    # The wait has the default partition locked against DDL, so it is the catalog that is changed here.
    change = "update pg_trigger set tgenabled = %s where tgname = 'partwarden_guard'"
    with before_attaching(database), database.connect() as superuser:
        superuser.execute(change, ("D",))
        with database.connect_owner() as loader:
            loader.execute(IN_THE_WAY, (1, end))
        superuser.execute(change, ("O",))
    assert count(owner, "app.events where id = 1") == 1
    assert count(owner, "app.events_default where id = 1") == 0
    assert guard_objects(owner) == []


def test_a_row_that_is_taken_back_costs_no_more_than_another_look(database: Database, owner: Connection) -> None:
    big_default_set(owner, "app.events")
    end = ends_at(owner, "app.events")
    want_more_partitions(owner, MORE)
    before = len(partitions(owner, "app.events"))
    with before_attaching(database), owner.transaction(force_rollback=True):
        owner.execute(IN_THE_WAY, (1, end))
    assert len(partitions(owner, "app.events")) == before + MORE
    assert runs(owner) == [("create", "succeeded")]
    assert guard_objects(owner) == []


def test_rows_in_the_way_that_may_not_be_moved_stay_where_they_are(database: Database, owner: Connection) -> None:
    big_default_set(owner, "app.events")
    owner.execute("update partwarden.setting set repair = 'off'")
    want_more_partitions(owner, MORE)
    owner.execute(IN_THE_WAY, (1, ends_at(owner, "app.events")))
    call = maintain(database)
    assert isinstance(call.error, psycopg.errors.DataException)
    assert count(owner, "app.events_default where id = 1") == 1
    assert guard_objects(owner) == []
    failure = owner.execute("select sqlstate, message, hint from partwarden.maintenance_run").fetchone()
    assert failure is not None
    assert failure[0] == "23514"
    assert "would be violated by some row" in failure[1]
    assert failure[2] == "partwarden drain app.events"


def test_those_who_write_all_the_while_feel_nothing_and_lose_nothing(database: Database, owner: Connection) -> None:
    """One writes where partitions are made, one into the default partition, one into today's."""
    big_default_set(owner, "app.events", premake=3)
    end = ends_at(owner, "app.events")
    rounds = 6

    def write(place: str, offset: int) -> Callable[[Connection, int], None]:
        def work(connection: Connection, number: int) -> None:
            connection.execute(
                f"insert into app.events (id, created_at) values (%s, {place} + %s * interval '1 second')".encode(),
                (offset + number, number),
            )

        return work

    with (
        writing(database.owner_dsn, write(f"timestamptz '{end}'", 1_000_000)) as ahead,
        writing(database.owner_dsn, write("now() - interval '1 month'", 2_000_000)) as behind,
        writing(database.owner_dsn, write("now()", 3_000_000)) as today,
    ):
        for _ in range(rounds):
            want_more_partitions(owner, 2)
            assert maintain(database).error is None
    for writer in (ahead, behind, today):
        assert writer.errors == []
        assert writer.longest < 1
    assert count(owner, "app.events where id > 0") == ahead.done + behind.done + today.done
    assert count(owner, f"app.events_default where created_at >= '{end}'") == 0
    assert guard_objects(owner) == []


STAGES = ("placed", "validated", "attaching", "taken off", "put away")


@contextmanager
def killed_at(database: Database, owner: Connection, stage: str) -> Iterator[None]:
    """A call of maintain() whose session is ended where it has come to that stage."""
    if stage == "validated":
        with before_attaching(database):
            kill(owner, SESSION)
            yield
        return
    with maintaining_held_at(database, stage) as call:
        wait_until_held(owner)
        kill(owner)
        assert isinstance(call.wait().error, psycopg.OperationalError)
        yield


@pytest.mark.parametrize("stage", STAGES)
def test_killed_anywhere_it_refuses_nobody_and_the_next_call_cleans_up(
    database: Database, owner: Connection, stage: str
) -> None:
    big_default_set(owner, "app.events")
    end = ends_at(owner, "app.events")
    want_more_partitions(owner, MORE)
    before = len(partitions(owner, "app.events"))
    with killed_at(database, owner, stage):
        assert guard_objects(owner) != []
        owner.execute(IN_THE_WAY, (1, end))

    assert maintain(database).error is None

    assert guard_objects(owner) == []
    assert count(owner, "app.events where id = 1") == 1
    assert count(owner, "app.events_default where id > 0") == 0
    assert len(partitions(owner, "app.events")) >= before + MORE


@pytest.mark.parametrize("stage", ["validated", "put away"])
def test_the_monitor_cleans_up_as_well(database: Database, owner: Connection, stage: str) -> None:
    big_default_set(owner, "app.events")
    want_more_partitions(owner, MORE)
    with killed_at(database, owner, stage):
        assert guard_objects(owner) != []
    owner.execute("call partwarden.monitor()")
    assert guard_objects(owner) == []


def test_the_monitor_leaves_a_guard_alone_while_maintenance_is_at_work(database: Database, owner: Connection) -> None:
    big_default_set(owner, "app.events")
    want_more_partitions(owner, MORE)
    with before_attaching(database):
        owner.execute("call partwarden.monitor()")
        assert guard_objects(owner) != []
    assert guard_objects(owner) == []


def test_uninstall_takes_a_guard_that_was_left_along(database: Database, owner: Connection) -> None:
    big_default_set(owner, "app.events")
    want_more_partitions(owner, MORE)
    with killed_at(database, owner, "validated"):
        pass
    assert guard_objects(owner) != []
    assert uninstall(owner)
    assert guard_objects(owner) == []


def test_install_replaces_all_code_while_a_guard_stands(database: Database, owner: Connection) -> None:
    big_default_set(owner, "app.events")
    want_more_partitions(owner, MORE)
    with killed_at(database, owner, "validated"):
        pass
    owner.execute("update partwarden.installation set code_hash = 'another'")
    assert install(owner).code_replaced
    assert maintain(database).error is None
    assert guard_objects(owner) == []


def test_what_is_left_of_a_default_partition_that_is_gone_is_cleaned_up(database: Database, owner: Connection) -> None:
    big_default_set(owner, "app.events")
    want_more_partitions(owner, MORE)
    with killed_at(database, owner, "validated"):
        pass
    owner.execute("alter table app.events detach partition app.events_default")
    owner.execute("call partwarden.monitor()")
    assert guard_objects(owner) == []

    big_default_set(owner, "app.others")
    want_more_partitions(owner, MORE, "app.others")
    with database.connect() as superuser:
        superuser.execute("drop event trigger if exists hold")
    owner.execute("drop table app.events cascade")
    owner.execute("delete from partman.part_config where parent_table = 'app.events'")
    assert maintain(database).error is None
    assert guard_objects(owner) == []


def test_two_sets_with_big_default_partitions(database: Database, owner: Connection) -> None:
    big_default_set(owner, "app.a")
    big_default_set(owner, "app.b")
    fill_default(owner, "app.a", 1)
    want_more_partitions(owner, 2)
    call = maintain(database)
    assert call.error is None
    assert call.default_partitions_not_read == 4
    assert default_partition(owner, "app.a") == "app.a_default"
    assert guard_objects(owner) == []


def test_columns_and_rights_of_another_role_that_writes(database: Database, owner: Connection) -> None:
    """Whoever may insert goes on inserting, without any right on what the guard is made of."""
    with database.connect() as superuser:
        superuser.execute("drop role if exists writer_of_rows")
        superuser.execute("create role writer_of_rows")
        owner.execute("alter default privileges revoke execute on functions from public")
        big_default_set(owner, "app.events")
        end = ends_at(owner, "app.events")
        owner.execute("grant usage on schema app to writer_of_rows")
        owner.execute("grant insert on app.events to writer_of_rows")
        want_more_partitions(owner, MORE)
        with before_attaching(database):
            superuser.execute("set role writer_of_rows")
            superuser.execute(IN_THE_WAY, (1, end))
            superuser.execute("reset role")
        assert count(owner, "app.events where id = 1") == 1
        superuser.execute("drop owned by writer_of_rows")
        superuser.execute("drop role writer_of_rows")
