"""Puts the extensions and the article's tables into a trial environment's database, so that there is something to see."""

from __future__ import annotations

from collections.abc import Iterator

from partwarden.database import Connection, connect, explained, inspect
from partwarden.demo.tables import SCHEMA, create_sample
from partwarden.errors import DemoFailed

_EXTENSIONS = (
    ("pg_partman", "create schema if not exists partman; create extension pg_partman schema partman"),
    ("pg_cron", "create extension pg_cron"),
)


def fill(dsn: str) -> Iterator[str]:
    """Make what is not there yet, all of it or nothing; yields a line for each thing that was made.

    Raises CouldNotConnect, and DemoFailed when the server does not let this role make it.
    """
    with connect(dsn) as connection:
        made: list[str] = []
        with explained("could not make the extensions and the sample's tables", DemoFailed), connection.transaction():
            made += _extensions(connection)
            if connection.execute("select to_regnamespace(%s)", (SCHEMA,)).fetchone() == (None,):
                made += [f"partition set {SCHEMA}.{each.table}" for each in create_sample(connection)]
    yield from made


def _extensions(connection: Connection) -> Iterator[str]:
    for name, statement in _EXTENSIONS:
        if not inspect(connection).has(name):
            connection.execute(statement.encode())
            yield f"extension {name} {inspect(connection).extensions[name].version}"
