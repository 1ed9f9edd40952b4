"""Set-ups in which nothing is wrong, and nothing is found: from outside, from inside, before and after maintenance."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from psycopg import sql

from partwarden import health
from partwarden.database import Connection
from partwarden.install import install
from tests.partition_sets import create_parent, create_sub_parent, daily_set
from tests.servers import MAJORS, Database

SetUp = Callable[[Connection], None]
SETUPS: dict[str, tuple[tuple[int, ...], SetUp]] = {}


def healthy(name: str, *, on: tuple[int, ...] = MAJORS) -> Callable[[SetUp], SetUp]:
    """Put a set-up into the list; the function makes it."""

    def put(make: SetUp) -> SetUp:
        SETUPS[name] = (on, make)
        return make

    return put


def interval_set(
    owner: Connection, kind: str, interval: str, now: str = "now()", *, infinite: bool = True, **arguments: Any
) -> None:
    """A set with a control column of that type, and a row of now."""
    owner.execute(f"create table app.one (control {kind} not null, note text) partition by range (control)")
    create_parent(owner, "app.one", interval, p_control="control", **arguments)
    if infinite:
        owner.execute("update partman.part_config set infinite_time_partitions = true")
    owner.execute(f"insert into app.one select {now}")


for _name, _kind, _interval in (
    ("hourly", "timestamptz", "1 hour"),
    ("daily, by date", "date", "1 day"),
    ("weekly", "timestamptz", "1 week"),
    ("monthly, by timestamp", "timestamp", "1 month"),
    ("quarterly", "timestamptz", "3 months"),
    ("yearly", "timestamptz", "1 year"),
):
    healthy(_name)(lambda owner, kind=_kind, interval=_interval: interval_set(owner, kind, interval))  # type: ignore[misc]


@healthy("by id")
def _(owner: Connection) -> None:
    interval_set(owner, "bigint", "1000", "7", p_start_partition="0")


@healthy("by id, in the middle of a partition far on")
def _(owner: Connection) -> None:
    interval_set(owner, "bigint", "1000", "5000500", p_start_partition="5000000")
    owner.execute("select partman.run_maintenance('app.one')")


@healthy("epoch seconds")
def _(owner: Connection) -> None:
    interval_set(owner, "bigint", "1 day", "extract(epoch from now())", p_epoch="seconds")


@healthy("epoch milliseconds")
def _(owner: Connection) -> None:
    interval_set(owner, "bigint", "1 day", "extract(epoch from now()) * 1000", p_epoch="milliseconds")


@healthy("uuid version 7", on=(18,))
def _(owner: Connection) -> None:
    interval_set(
        owner,
        "uuid",
        "1 day",
        "uuidv7()",
        p_time_encoder="partman.uuid7_time_encoder",
        p_time_decoder="partman.uuid7_time_decoder",
    )


@healthy("encoded in a text", on=(17, 18))
def _(owner: Connection) -> None:
    owner.execute(
        "create function app.encode(t timestamptz) returns text language sql stable "
        "as $$ select to_char(t at time zone 'UTC', 'YYYYMMDDHH24MISS') $$;"
        "create function app.decode(t text) returns timestamptz language sql stable "
        "as $$ select to_timestamp(t, 'YYYYMMDDHH24MISS')::timestamp at time zone 'UTC' $$"
    )
    interval_set(owner, "text", "1 day", "app.encode(now())", p_time_encoder="app.encode", p_time_decoder="app.decode")


@healthy("sub-partitioned by hour")
def _(owner: Connection) -> None:
    owner.execute("create table app.one (day timestamptz not null, at timestamptz not null) partition by range (day)")
    create_parent(owner, "app.one", "1 day", p_control="day", p_premake=1)
    create_sub_parent(owner, "app.one", "at", "1 hour", p_premake=2)
    owner.execute("update partman.part_config set infinite_time_partitions = true")
    owner.execute("update partman.part_config_sub set sub_infinite_time_partitions = true")


@healthy("sub-partitioned by id")
def _(owner: Connection) -> None:
    owner.execute("create table app.one (at timestamptz not null, id bigint not null) partition by range (at)")
    create_parent(owner, "app.one", "1 day", p_control="at", p_premake=2)
    create_sub_parent(owner, "app.one", "id", "1000", p_premake=3, p_start_partition="0")
    owner.execute("update partman.part_config set infinite_time_partitions = true")
    owner.execute("insert into app.one values (now(), 7)")


@healthy("empty and brand-new, as pg_partman makes it by default")
def _(owner: Connection) -> None:
    owner.execute("create table app.one (control timestamptz not null) partition by range (control)")
    create_parent(owner, "app.one", "1 day", p_control="control")


@healthy("rows every day, without infinite_time_partitions")
def _(owner: Connection) -> None:
    interval_set(
        owner, "timestamptz", "1 day", "now() - n * interval '1 day' from generate_series(0, 3) n", infinite=False
    )


@healthy("with a retention, just applied, that keeps the detached tables")
def _(owner: Connection) -> None:
    daily_set(owner, "app.one")
    owner.execute("insert into app.one values (1, now()), (2, now() - interval '4 days')")
    owner.execute("update partman.part_config set retention = '2 days', retention_keep_table = true")
    owner.execute("select partman.run_maintenance('app.one')")


@healthy("its oldest partition just detached by hand")
def _(owner: Connection) -> None:
    daily_set(owner, "app.one")
    first = owner.execute(
        "select inhrelid::regclass::text from pg_inherits join pg_class on oid = inhrelid "
        "where inhparent = 'app.one'::regclass and relname like 'one_p%' order by relname limit 1"
    ).fetchone()
    assert first is not None
    owner.execute(f"alter table app.one detach partition {first[0]}")


@healthy("without a default partition", on=(17, 18))
def _(owner: Connection) -> None:
    interval_set(owner, "timestamptz", "1 day", p_default_table=False)


@healthy("names that need quoting")
def _(owner: Connection) -> None:
    owner.execute('create schema "Weird ""Schema"""')
    owner.execute(
        'create table "Weird ""Schema"""."a ""b"" ünï" ("c ""d""" timestamptz not null) partition by range ("c ""d""")'
    )
    create_parent(owner, 'Weird "Schema".a "b" ünï', "1 day", p_control='c "d"')
    owner.execute("update partman.part_config set infinite_time_partitions = true")
    owner.execute('insert into "Weird ""Schema"""."a ""b"" ünï" select now()')


@healthy("a name of 63 bytes")
def _(owner: Connection) -> None:
    name = "n" * 63
    owner.execute(f"create table app.{name} (control timestamptz not null) partition by range (control)")
    create_parent(owner, f"app.{name}", "1 day", p_control="control")
    owner.execute("update partman.part_config set infinite_time_partitions = true")


@healthy("indexes, a key, a check, a privilege and a publication on the parent")
def _(owner: Connection) -> None:
    daily_set(owner, "app.one")
    owner.execute("create index on app.one (id)")
    owner.execute("alter table app.one add check (id >= 0)")
    owner.execute("grant select, insert on app.one to pg_monitor")
    owner.execute("create publication everything for table app.one")
    owner.execute("select partman.run_maintenance('app.one')")


@healthy("partitioned by hand, well ahead; an archive that ended; one open at its end; by list and by hash")
def _(owner: Connection) -> None:
    for name, first, last in (("by_hand", -5, 20), ("archive", -400, -380)):
        owner.execute(f"create table app.{name} (at timestamptz) partition by range (at)")
        owner.execute(
            f"do $$ begin for n in {first}..{last} loop execute format("
            f"'create table app.{name}_%s partition of app.{name} for values from (%L) to (%L)', n + 500, "
            "date_trunc('day', now()) + n * interval '1 day', date_trunc('day', now()) + (n + 1) * interval '1 day'); "
            "end loop; end $$"
        )
    owner.execute(
        "create table app.open_end (id int) partition by range (id);"
        "create table app.open_end_1 partition of app.open_end for values from (minvalue) to (100);"
        "create table app.open_end_2 partition of app.open_end for values from (100) to (maxvalue);"
        "insert into app.open_end values (150);"
        "create table app.by_list (id int) partition by list (id);"
        "create table app.by_list_1 partition of app.by_list for values in (1);"
        "create table app.by_hash (id int) partition by hash (id);"
        "create table app.by_hash_1 partition of app.by_hash for values with (modulus 1, remainder 0);"
        "create table app.by_two (id int, at timestamptz) partition by range (id, at);"
        "create table app.by_two_1 partition of app.by_two for values from (1, now()) to (2, now());"
    )


@healthy("no partitions at all")
def _(owner: Connection) -> None:
    owner.execute("create table app.plain (id int)")


# Each set-up meets another one on each server.
ZONES = (("UTC", "ISO"), ("America/Sao_Paulo", "German"), ("Asia/Kathmandu", "SQL, DMY"))


@pytest.mark.parametrize("name", SETUPS)
def test_nothing_is_found_where_nothing_is_wrong(database: Database, name: str) -> None:
    majors, make = SETUPS[name]
    major = database.server.major
    if major not in majors:
        pytest.skip(f"this pg_partman can't: it takes {majors}")
    zone, style = ZONES[(list(SETUPS).index(name) + MAJORS.index(major)) % len(ZONES)]
    with database.connect() as superuser:
        for setting, value in (("timezone", zone), ("datestyle", style)):
            superuser.execute(
                sql.SQL("alter database {} set {} = {}").format(
                    sql.Identifier(database.name), sql.Identifier(setting), sql.Literal(value)
                )
            )
    with database.connect_owner() as owner:
        owner.execute("create schema app")
        make(owner)
        assert_healthy(database)
        if "no partitions" not in name:
            owner.execute("call partman.run_maintenance_proc()")
            assert_healthy(database)
        install(owner)
        owner.execute("call partwarden.maintain()")
        assert_healthy(database)
        inside = owner.execute(
            "select check_id, summary, skipped from partwarden.run_checks() "
            "where skipped is null or skipped ~ 'could not|failed|error'"
        ).fetchall()
        assert inside == []


def assert_healthy(database: Database) -> None:
    """No finding from outside but that no job maintains the sets, which nobody has scheduled."""
    report = health.check_database(database.dsn)
    assert report.error is None
    assert [(each.check, each.summary) for each in report.findings if each.check != "job-missing"] == []
    assert [each for each in report.skipped if "failed" in each.reason] == []
