"""A database with thousands of healthy partition sets of 30 tables each."""

from __future__ import annotations

from importlib.resources import files

from tests.partition_sets import create_parent
from tests.servers import Database

from bench.servers import careless
from partwarden.database import Connection

_BATCH = 100

_REAL = {"daily": ("daily_a", "daily_b", "daily_c"), "ids": ("ids_a", "ids_b")}


def make_real_sets(owner: Connection) -> None:
    """Three sets by day and two by id, by pg_partman: 29 partitions and a default one, 24 and 25 with rows in them."""
    owner.execute("create schema app")
    owner.execute((files(__package__) / "partition_sets.sql").read_bytes())
    for name in _REAL["daily"]:
        owner.execute(
            f"create table app.{name} (id bigint not null, created_at timestamptz not null, payload integer,"
            " primary key (id, created_at)) partition by range (created_at)".encode()
        )
        first = owner.execute("select (current_date - 23)::text").fetchone()
        assert first is not None
        create_parent(owner, f"app.{name}", "1 day", p_premake=5, p_start_partition=first[0])
        owner.execute(
            f"insert into app.{name} select day, current_date - day, 0 from generate_series(0, 23) as day".encode()
        )
    for name in _REAL["ids"]:
        owner.execute(
            f"create table app.{name} (id bigint not null primary key, payload integer) partition by range (id)".encode()
        )
        create_parent(owner, f"app.{name}", "1000", p_control="id", p_premake=28, p_start_partition="0")
        owner.execute(f"insert into app.{name} select 1000 * n, 0 from generate_series(0, 24) as n".encode())
    owner.execute("update partman.part_config set premake = 4 where control = 'id'")
    owner.execute("update partman.part_config set infinite_time_partitions = true")
    owner.execute("select partman.run_maintenance()")


def grow(database: Database, sets: int) -> None:
    """Copy the real sets until there are so many altogether, four by day to one by id."""
    with database.connect() as superuser, careless(superuser):
        for kind, want in {"daily": sets * 4 // 5, "ids": sets // 5}.items():
            row = superuser.execute(
                "select count(*) from partman.part_config where starts_with(parent_table, %s)", (f"app.{kind}",)
            ).fetchone()
            assert row is not None
            for first in range(row[0] + 1, want + 1, _BATCH):
                # A session gets slower with every table that it has seen.
                with database.connect_owner() as owner:
                    owner.execute(
                        "call app.copy_set(%s, %s, %s, %s)",
                        (_REAL[kind][0], f"{kind}_", first, min(first + _BATCH - 1, want)),
                    )
        superuser.execute("vacuum analyze")  # as autovacuum would have done by tomorrow


def count_sets(connection: Connection) -> tuple[int, int, int]:
    """How many sets pg_partman manages, the partitions of all of them, and the fewest of one."""
    row = connection.execute(
        "select count(*), sum(number), min(number) from (select count(*) as number from partman.part_config"
        " join pg_inherits on inhparent = parent_table::regclass group by parent_table) counted"
    ).fetchone()
    assert row is not None
    return row[0], int(row[1]), row[2]
