"""One database as the plan looks at it."""

from __future__ import annotations

from dataclasses import dataclass, field

import psycopg

from partwarden.catalog import ManagedSet, Partman, Table, managed_sets, read_partman, read_tables
from partwarden.config.names import QualifiedName
from partwarden.database import Connection, Server, explained, inspect, write_plainly
from partwarden.errors import PlanFailed
from partwarden.install import installed_version


@dataclass(frozen=True)
class View:
    """What is there now.

    ``managed`` is by pg_partman's name, ``tables`` by theirs; ``policies`` are those that say for one set what
    maintenance may repair; ``installed`` is the version of partwarden; ``lengths`` are those that the server was asked for.
    """

    connection: Connection
    server: Server
    partman: Partman | None
    managed: dict[str, ManagedSet]
    tables: dict[QualifiedName, Table]
    policies: dict[str, str]
    installed: str | None
    lengths: dict[str, str] = field(default_factory=dict, repr=False)

    def length(self, text: str | None) -> str | None:
        """An interval or a number as the server writes it, so that two can be compared; what is neither stays as it is."""
        if text is None or text.strip().isdigit():
            return None if text is None else text.strip()
        if text not in self.lengths:  # sets are many, lengths are few
            try:
                row = self.connection.execute("select %s::interval::text", (text,)).fetchone()
            except psycopg.DataError:
                row = (text,)
            assert row is not None
            self.lengths[text] = str(row[0])
        return self.lengths[text]

    def is_shorter(self, length: str | None, than: str | None) -> bool:
        """Whether what is kept for ``length`` goes before what is kept for ``than``; None is for ever."""
        if length is None or than is None:
            return length is not None
        kind = "numeric" if length.isdigit() and than.isdigit() else "interval"
        row = self.connection.execute(
            f"select %s::{kind} < %s::{kind}",
            (length, than),
        ).fetchone()
        return row == (True,)

    def has_rows(self, name: str) -> bool:
        """Whether a table, by its name as SQL writes it, holds any row. Raises PlanFailed where that can't be seen."""
        with explained(f"could not look whether {name} has rows", PlanFailed):
            row = self.connection.execute(f"select exists (select from {name})".encode()).fetchone()
        return row == (True,)


def look(connection: Connection) -> View:
    """Read what is there; the connection is in autocommit."""
    write_plainly(connection)
    server = inspect(connection)
    partman = read_partman(connection, server)
    installed = installed_version(connection)
    return View(
        connection=connection,
        server=server,
        partman=partman,
        managed={} if partman is None else managed_sets(connection, partman),
        tables=read_tables(connection),
        policies=dict(connection.execute("select parent_table, repair from partwarden.set_policy").fetchall())
        if has_table(connection, "partwarden.set_policy")
        else {},
        installed=installed,
    )


def has_table(connection: Connection, name: str) -> bool:
    """Whether there is this table, or another relation of its name; an older partwarden does not have all of its own."""
    return connection.execute("select to_regclass(%s) is not null", (name,)).fetchone() == (True,)
