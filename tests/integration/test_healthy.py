"""Sets of every kind that pg_partman makes, and nothing wrong with any of them: before, while and after maintenance."""

from __future__ import annotations

from typing import Any

import pytest
from psycopg import sql

from partwarden.database import Connection
from partwarden.install import install
from tests.partition_sets import create_parent, create_sub_parent
from tests.servers import Database

_SETS: tuple[tuple[str, str, str, str, dict[str, Any], int], ...] = (
    # name, type of the control column, interval, a value of now, further arguments, oldest pg_partman
    ("by_date", "date", "1 day", "current_date", {}, 4),
    ("hourly", "timestamptz", "1 hour", "now()", {}, 4),
    ("weekly", "timestamptz", "1 week", "now()", {}, 4),
    ("monthly", "timestamp", "1 month", "now()", {}, 4),
    ("quarterly", "timestamptz", "3 months", "now()", {}, 4),
    ("yearly", "timestamptz", "1 year", "now()", {}, 4),
    ("epoch_seconds", "bigint", "1 day", "extract(epoch from now())", {"p_epoch": "seconds"}, 4),
    ("epoch_milliseconds", "bigint", "1 day", "extract(epoch from now()) * 1000", {"p_epoch": "milliseconds"}, 4),
    ("by_id", "bigint", "1000", "7", {"p_start_partition": "0"}, 4),
    ("by_numeric_id", "numeric", "1000", "7", {"p_start_partition": "0"}, 5),
    ("without_default", "timestamptz", "1 day", "now()", {"p_default_table": False}, 5),
    (
        "uuid_version_7",
        "uuid",
        "1 day",
        "uuidv7()",
        {"p_time_encoder": "partman.uuid7_time_encoder", "p_time_decoder": "partman.uuid7_time_decoder"},
        18,  # the server's own function
    ),
)


@pytest.mark.parametrize(
    ("zone", "style"), [("UTC", "ISO"), ("America/Sao_Paulo", "German"), ("Asia/Kathmandu", "SQL, DMY")]
)
def test_healthy_sets_of_every_kind_have_no_finding(database: Database, zone: str, style: str) -> None:
    with database.connect() as superuser:
        for name, value in (("timezone", zone), ("datestyle", style)):
            superuser.execute(
                sql.SQL("alter database {} set {} = {}").format(
                    sql.Identifier(database.name), sql.Identifier(name), sql.Literal(value)
                )
            )
    with database.connect_owner() as owner:
        install(owner)
        owner.execute("create schema app")
        for name, kind, interval, value, arguments, oldest in _SETS:
            if oldest == 4 or (oldest == 5 and database.server.major >= 17) or oldest == database.server.major:
                owner.execute(f"create table app.{name} (control {kind} not null) partition by range (control)")
                create_parent(owner, f"app.{name}", interval, p_control="control", **arguments)
                owner.execute(f"insert into app.{name} select {value}")
        owner.execute(
            "create table app.id_in_time (at timestamptz not null, id bigint not null) partition by range (at)"
        )
        create_parent(owner, "app.id_in_time", "1 day", p_control="at", p_premake=2)
        create_sub_parent(owner, "app.id_in_time", "id", "1000", p_premake=3, p_start_partition="0")
        owner.execute("insert into app.id_in_time values (now(), 7)")
        owner.execute("create table app.empty (control timestamptz not null) partition by range (control)")
        create_parent(owner, "app.empty", "1 day", p_control="control")
        owner.execute("update partman.part_config set infinite_time_partitions = true")

        assert results(owner) == []
        for _ in range(2):
            owner.execute("call partwarden.maintain()")
            assert results(owner) == []


def results(connection: Connection) -> list[tuple[str, str | None, str | None]]:
    """Findings, and checks that were not done but for the want of pg_cron."""
    return connection.execute(
        "select check_id, summary, skipped from partwarden.run_checks() "
        "where skipped is null or not partly and skipped <> 'pg_cron is not in this database'"
    ).fetchall()
