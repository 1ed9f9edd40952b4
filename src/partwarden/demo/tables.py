"""Makes the seven tables of the AWS article's sample into partition sets, with rows in each, on any pg_partman."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files

from psycopg import sql

from partwarden.database import Connection, inspect

SCHEMA = "data_mart"
BROKEN = f"{SCHEMA}.events_daily"


@dataclass(frozen=True)
class PartitionSet:
    """One of the sample's sets. ``start`` is the first partition; ``sub`` is how its partitions are partitioned."""

    table: str
    control: str
    interval: str
    premake: int
    start: str
    sub: Mapping[str, object] | None = None


def sample_sets(today: str, recently: str) -> tuple[PartitionSet, ...]:
    """The sample's settings. Dates are ISO texts.

    The sample starts all of them in April 2022. Sets by day start ``recently`` instead: each partition of
    events_daily is tied to all others by its foreign key to itself, so that 1,700 of them take minutes to make, and
    the sub-partitioned ones would come to 40,000 partitions.
    """
    then = "2022-04-01"
    return (
        PartitionSet("events_daily", "created_at", "1 day", 35, recently),
        PartitionSet("events_monthly", "created_at", "1 month", 13, then),
        PartitionSet("events_quarterly", "created_at", "3 months", 5, then),
        PartitionSet("events_yearly", "created_at", "1 year", 2, then),
        PartitionSet("events_range", "event_id", "10000", 3, "1"),
        PartitionSet(
            "events_daily_hourly", "created_at", "1 day", 1, today,
            {"p_control": "event_date", "p_interval": "1 hour", "p_premake": 24},
        ),
        PartitionSet(
            "events_daily_range", "created_at", "1 day", 1, today,
            {"p_control": "event_id", "p_interval": "10000", "p_premake": 3, "p_start_partition": "1"},
        ),
    )  # fmt: skip


def create_sample(connection: Connection) -> Iterator[PartitionSet]:
    """Create schema data_mart with everything in it; yields each set when it is made and has rows."""
    partman = inspect(connection).extensions["pg_partman"]
    row = connection.execute("select (current_date - 2)::text, (current_date - 30)::text").fetchone()
    assert row is not None
    connection.execute((files(__package__) / "tables.sql").read_text())
    connection.execute(f"insert into {SCHEMA}.organization (org_name) values ('acme')")
    for each in sample_sets(*row):
        _create_set(connection, each, partman.schema, before_5=partman.version.startswith("4."))
        yield each


def _create_set(connection: Connection, each: PartitionSet, partman: str, *, before_5: bool) -> None:
    parent = f"{SCHEMA}.{each.table}"
    native = {"p_type": "native"} if before_5 else {}
    _call(
        connection, partman, "create_parent",
        {
            "p_parent_table": parent, "p_control": each.control, "p_interval": each.interval,
            "p_premake": each.premake, "p_start_partition": each.start, **native,
        },
    )  # fmt: skip
    if each.sub is not None:
        # pg_partman makes the (empty) partitions anew, and wants to hear that this is meant.
        sure = {"p_native_check": "yes"} if before_5 else {"p_declarative_check": "yes"}
        _call(connection, partman, "create_sub_parent", {"p_top_parent": parent, **each.sub, **native, **sure})
    for table in ("part_config", "part_config_sub"):
        column = "infinite_time_partitions" if table == "part_config" else "sub_infinite_time_partitions"
        connection.execute(
            sql.SQL("update {} set {} = true where {} = %s").format(
                sql.Identifier(partman, table),
                sql.Identifier(column),
                sql.Identifier("parent_table" if table == "part_config" else "sub_parent"),
            ),
            (parent,),
        )
    connection.execute(
        sql.SQL("update {} set infinite_time_partitions = true where parent_table like %s").format(
            sql.Identifier(partman, "part_config")
        ),
        (parent.replace("_", r"\_") + r"\_p%",),
    )
    connection.execute(_ROWS[each.table])


def _call(connection: Connection, schema: str, function: str, arguments: Mapping[str, object]) -> None:
    named = sql.SQL(", ").join(
        sql.SQL("{} => {}").format(sql.Identifier(name), sql.Literal(value)) for name, value in arguments.items()
    )
    connection.execute(sql.SQL("select {}({})").format(sql.Identifier(schema, function), named))


_ROWS = {
    "events_daily": f"""
        insert into {SCHEMA}.events_daily (operation, value, event_type, org_id, created_at)
        select 'C', number, 'order', 1, date_trunc('day', now()) - number * interval '12 hours'
        from generate_series(0, 50) number""",
    "events_monthly": f"""
        insert into {SCHEMA}.events_monthly (value, created_at)
        select number, now() - number * interval '1 month' from generate_series(0, 50) number""",
    "events_quarterly": f"""
        insert into {SCHEMA}.events_quarterly (value, created_at)
        select number, now() - number * interval '3 months' from generate_series(0, 15) number""",
    "events_yearly": f"""
        insert into {SCHEMA}.events_yearly (value, created_at)
        select number, now() - number * interval '1 year' from generate_series(0, 3) number""",
    "events_range": f"""
        insert into {SCHEMA}.events_range (value, created_at) select number, now() from generate_series(1, 15000) number""",
    "events_daily_hourly": f"""
        insert into {SCHEMA}.events_daily_hourly (event_id, value, event_date, created_at)
        select number, number, now(), now() from generate_series(1, 50) number""",
    "events_daily_range": f"""
        insert into {SCHEMA}.events_daily_range (event_id, value, created_at)
        select number, number, now() from generate_series(1, 50) number""",
}
