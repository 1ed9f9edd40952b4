"""A connection with routines of ours in its temporary schema: nothing has to be installed in the database."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from psycopg import sql

from partwarden import bundle
from partwarden.database import Connection
from partwarden.nearest import nearest


class Routines:
    """Routines of ``sql/session`` and ``sql/routines``, and whatever they call, made for this connection."""

    def __init__(self, connection: Connection, names: Collection[str]) -> None:
        self.connection = connection
        with connection.transaction():
            connection.execute(bundle.session_code(names).encode())

    def rows(self, routine: str, *arguments: object) -> list[tuple[Any, ...]]:
        """All rows that a routine returns."""
        call = sql.SQL("select * from pg_temp.{}({})").format(
            sql.Identifier(routine), sql.SQL(", ").join(sql.Placeholder() * len(arguments))
        )
        return self.connection.execute(call, arguments).fetchall()

    def call(self, routine: str, *arguments: object) -> Any:
        """The one value that a routine returns."""
        return self.rows(routine, *arguments)[0][0]


def nearest_table(connection: Connection, name: str, *, partitioned: bool) -> str | None:
    """The table that somebody may have meant, as SQL writes its name; partitions are not thought of."""
    names = connection.execute(
        "select format('%%I.%%I', nspname, relname) from pg_class join pg_namespace on pg_namespace.oid = relnamespace"
        " where relkind = %s and not relispartition and nspname !~ '^(pg_|information_schema$)'",
        ("p" if partitioned else "r",),
    ).fetchall()
    return nearest(name, [each for (each,) in names])
