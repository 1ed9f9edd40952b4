"""Making and breaking partition sets on any version of pg_partman."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from psycopg import sql

from partwarden.database import Connection


def create_parent(connection: Connection, parent: str, interval: str, **arguments: Any) -> None:
    """pg_partman's create_parent(), whose arguments differ between 4 and 5; ``parent`` is ``schema.table``, unquoted."""
    named = {"p_parent_table": parent, "p_interval": interval, "p_control": "created_at", **arguments}
    if partman_version(connection).startswith("4."):
        named["p_type"] = "native"
    _call(connection, "create_parent", named)


def create_sub_parent(connection: Connection, top: str, control: str, interval: str, **arguments: Any) -> None:
    """pg_partman's create_sub_parent(), which makes the partitions of an empty set anew, each partitioned itself."""
    named = {"p_top_parent": top, "p_control": control, "p_interval": interval, **arguments}
    if partman_version(connection).startswith("4."):
        named |= {"p_type": "native", "p_native_check": "yes"}
    else:
        named |= {"p_declarative_check": "yes"}
    _call(connection, "create_sub_parent", named)


def partman_version(connection: Connection) -> str:
    """The version pg_partman was installed as."""
    row = connection.execute("select extversion from pg_extension where extname = 'pg_partman'").fetchone()
    assert row is not None
    return str(row[0])


def _call(connection: Connection, function: str, named: dict[str, Any]) -> None:
    call = sql.SQL(", ").join(
        sql.SQL("{} => {}").format(sql.Identifier(name), sql.Literal(value)) for name, value in named.items()
    )
    connection.execute(sql.SQL("select partman.{}({})").format(sql.Identifier(function), call))


def made_ahead(premake: int) -> int:
    """How many days pg_partman has made ahead: it counts from this moment, not from this day, and rounds."""
    return premake + (datetime.now(UTC).hour >= 12)


def daily_set(connection: Connection, parent: str, *, premake: int = 5) -> None:
    """A set partitioned by day, up to ``premake`` days ahead, that pg_partman keeps adding to."""
    schema, table = parent.split(".", 1)
    name = sql.Identifier(schema, table)
    connection.execute(
        sql.SQL(
            "create table {} (id bigint not null, created_at timestamptz not null, primary key (id, created_at)) "
            "partition by range (created_at)"
        ).format(name)
    )
    create_parent(connection, parent, "1 day", p_premake=premake)
    connection.execute(
        "update partman.part_config set infinite_time_partitions = true where parent_table = %s", (parent,)
    )
    # What made_ahead() says: in the afternoon it wants one more than at first.
    connection.execute("select partman.run_maintenance(%s)", (parent,))


def want_one_more_partition(connection: Connection, parent: str | None = None) -> None:
    """Make maintenance due: the set, or every set, now wants one partition more than it has."""
    connection.execute(
        "update partman.part_config set premake = premake + 1 where parent_table = coalesce(%s, parent_table)",
        (parent,),
    )


def put_row_in_the_way(connection: Connection, parent: str) -> None:
    """Write a row that lies in the partition which has to be made next, so that it falls into the default one."""
    schema, table = parent.split(".", 1)
    row = connection.execute(
        sql.SQL(
            "insert into {} (id, created_at) "
            "select 999999, max((regexp_match(pg_get_expr(relpartbound, oid), 'TO \\(''(.+)''\\)'))[1]::timestamptz) "
            "+ interval '3 hours' from pg_class join pg_inherits on inhrelid = oid where inhparent = {}::regclass "
            "returning created_at, tableoid::regclass::text"
        ).format(sql.Identifier(schema, table), sql.Literal(sql.Identifier(schema, table).as_string(connection)))
    ).fetchone()
    assert row is not None
    assert row[1].rstrip('"').endswith("_default")


def switch_repair_off(connection: Connection) -> None:
    """Have maintain() leave rows in the way where they are, so that the set fails."""
    connection.execute("update partwarden.setting set repair = 'off'")


def partitions(connection: Connection, parent: str) -> list[str]:
    """The names of a set's partitions, the default one included."""
    schema, table = parent.split(".", 1)
    rows = connection.execute(
        "select relname from pg_inherits join pg_class on pg_class.oid = inhrelid where inhparent = %s::regclass order by 1",
        (sql.Identifier(schema, table).as_string(connection),),
    ).fetchall()
    return [name for (name,) in rows]
