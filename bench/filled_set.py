"""A partition set by day whose default partition holds the rows of the 30 days before its first partition, and copies."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg
from psycopg import sql
from tests.partition_sets import create_parent
from tests.servers import OWNER, Database, Server

from bench.servers import careless
from partwarden.database import Connection

PARENT = "app.events"
DEFAULT = "app.events_default"
DAYS = 30

_ORDINARY_ROWS = 1_000
_PREMAKE = 5


@dataclass(frozen=True)
class FilledSet:
    """A database with such a set: ``rows`` lie in the default partition, evenly from ``since`` to before ``until``."""

    database: Database
    rows: int
    since: datetime
    until: datetime

    @property
    def all_rows(self) -> int:
        """With those of ordinary partitions."""
        return self.rows + _ORDINARY_ROWS

    @property
    def days(self) -> list[datetime]:
        """When each of the days begins."""
        return [self.since + timedelta(days=number) for number in range(DAYS)]


def make_filled_set(server: Server, rows: int) -> FilledSet:
    """A template to be copied."""
    database = server.new_database(f"filled_{rows}")
    with database.connect() as superuser, careless(superuser):
        return fill(database, rows)


def fill(database: Database, rows: int) -> FilledSet:
    """Make the set: key, one more index, rows of some 90 bytes in the order of their time, vacuumed and analyzed."""
    with database.connect() as superuser, database.connect_owner() as owner:
        owner.execute("create schema app")
        owner.execute(
            f"create table {PARENT} (event_id bigint not null, created_at timestamptz not null,"
            " amount bigint not null default 0, payload text, primary key (event_id, created_at))"
            " partition by range (created_at)".encode()
        )
        owner.execute(f"create index events_created_at on {PARENT} (created_at)".encode())
        create_parent(owner, PARENT, "1 day", p_premake=_PREMAKE)
        owner.execute("update partman.part_config set infinite_time_partitions = true")
        row = owner.execute(
            "select min((regexp_match(pg_get_expr(relpartbound, oid), 'FROM \\(''(.+?)''\\)'))[1]::timestamptz)"
            " from pg_class join pg_inherits on inhrelid = oid where inhparent = %s::regclass",
            (PARENT,),
        ).fetchone()
        assert row is not None
        until: datetime = row[0]
        made = FilledSet(database, rows, until - timedelta(days=DAYS), until)
        _insert(owner, 1, rows, made.since, until)
        _insert(owner, rows + 1, made.all_rows, until, until + timedelta(days=_PREMAKE))
        in_default = owner.execute(f"select count(*) from only {DEFAULT}".encode()).fetchone()
        assert in_default == (rows,)
        superuser.execute("vacuum analyze")
    return made


@contextmanager
def fresh_copy(template: FilledSet) -> Iterator[FilledSet]:
    """A copy of the database for one run, checkpointed, and gone after the block."""
    server = template.database.server
    copy = Database(server, f"{template.database.name}_copy")
    with psycopg.connect(server.cluster.dsn(), autocommit=True) as superuser:
        superuser.execute(
            sql.SQL("create database {} template {} owner {} strategy file_copy").format(
                *map(sql.Identifier, (copy.name, template.database.name, OWNER))
            )
        )
        superuser.execute("checkpoint")
    try:
        yield FilledSet(copy, template.rows, template.since, template.until)
    finally:
        server.drop_database(copy)


def rows_in_default(connection: Connection) -> int:
    """How many rows are in the default partition; 0 where there is none any more."""
    row = connection.execute("select to_regclass(%s) is not null", (DEFAULT,)).fetchone()
    if row != (True,):
        return 0
    counted = connection.execute(f"select count(*) from only {DEFAULT}".encode()).fetchone()
    assert counted is not None
    return int(counted[0])


def _insert(owner: Connection, first: int, last: int, since: datetime, until: datetime) -> None:
    owner.execute(
        f"insert into {PARENT} (event_id, created_at, payload)"
        " select n, %(since)s::timestamptz"
        " + ((n - %(first)s)::double precision / (1 + %(last)s - %(first)s)) * (%(until)s::timestamptz - %(since)s),"
        " 'an event as any other, number ' || lpad(n::text, 10, '0')"
        " from generate_series(%(first)s::bigint, %(last)s) as n".encode(),
        {"first": first, "last": last, "since": since, "until": until},
    )
