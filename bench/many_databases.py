"""A thousand databases with a few partition sets each, on one server: copies of a few, made as files are copied."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psycopg
import yaml
from psycopg import sql
from tests.partition_sets import daily_set, put_row_in_the_way
from tests.servers import OWNER, Database, Server, running_server

from bench.options import tell
from bench.servers import careless

SETS = ("app.events", "app.measurements", "app.payments")
_ONE_IN_HAS_ROWS_IN_THE_WAY = 20
_ONE_IN_HAS_A_GAP = 50

_SETTINGS = {
    "fsync": "on",
    "full_page_writes": "on",
    "max_connections": "100",
    # A server of a thousand databases stands here for a thousand servers; autovacuum would start ten workers a second there.
    "autovacuum": "off",
}


@contextmanager
def many_databases(major: int, number: int) -> Iterator[tuple[Server, Mapping[str, str]]]:
    """A server of that version with so many databases, and their connection strings by name; gone after the block.

    Each has three sets by day. One of twenty has a row in the way of the next partition, one of fifty a gap.
    """
    with (
        tempfile.TemporaryDirectory() as secrets,
        running_server(major, Path(secrets), _SETTINGS, on_disk=True) as server,
        psycopg.connect(server.cluster.dsn(), autocommit=True) as superuser,
    ):
        tell(f"{number} databases are made on PostgreSQL {major}")
        with careless(superuser):
            healthy, blocked, broken = (_original(server, name) for name in ("healthy", "blocked", "broken"))
            with blocked.connect() as connection:
                put_row_in_the_way(connection, SETS[0])
            with broken.connect() as connection:
                _make_gap(connection, SETS[1])
            names = [f"shard-{index:04}" for index in range(1, number + 1)]
            for index, name in enumerate(names):
                original = (
                    broken if index % _ONE_IN_HAS_A_GAP == 0
                    else blocked if index % _ONE_IN_HAS_ROWS_IN_THE_WAY == 0
                    else healthy
                )  # fmt: skip
                superuser.execute(
                    sql.SQL("create database {} template {} strategy file_copy").format(
                        sql.Identifier(name), sql.Identifier(original.name)
                    )
                )
        yield server, {name: server.cluster.dsn(name, OWNER) for name in names}


def written_down(dsns: Mapping[str, str], folder: Path) -> Path:
    """A partwarden.yaml in ``folder`` that lists these databases."""
    file = folder / "partwarden.yaml"
    file.write_text(yaml.safe_dump({"databases": [{"name": name, "dsn": dsn} for name, dsn in dsns.items()]}))
    return file


def _original(server: Server, name: str) -> Database:
    made = server.new_database(name)
    with made.connect_owner() as owner:
        owner.execute("create schema app")
        for parent in SETS:
            daily_set(owner, parent)
            owner.execute(
                f"insert into {parent} select n, now() - n * interval '1 hour' from generate_series(1, 48) n".encode()
            )
    return made


def _make_gap(connection: psycopg.Connection[tuple[object, ...]], parent: str) -> None:
    """Without a partition that lies before others."""
    row = connection.execute(
        "select inhrelid::regclass::text from pg_inherits where inhparent = %s::regclass order by 1 desc offset 3 limit 1",
        (parent,),
    ).fetchone()
    assert row is not None
    connection.execute(f"drop table {row[0]}".encode())
