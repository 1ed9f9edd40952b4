"""A connection that converts: the routines of ``sql/session`` in its temporary schema, acting as the table's owner."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from partwarden import bundle
from partwarden.database import Connection, advice_of, connect, first_line
from partwarden.errors import ConvertRefused
from partwarden.routines import Routines, nearest_table

_ROUTINES = (
    *bundle.session_routines(beginning="convert_"),
    "find_set",
    "validate_references",
)


# Anything that is waited for outside of short tries is waited for alone: nobody queues behind it. What a role may not take
# longer for in its daily work is not meant for building an index.
_PATIENT = """
select set_config(name, case name when 'lock_timeout' then '10s' when 'jit' then 'off' else '0' end, false)
from pg_settings
where name in ('lock_timeout', 'jit', 'statement_timeout', 'transaction_timeout', 'idle_in_transaction_session_timeout')
"""


_TABLE = """
select pg_class.oid, format('%%I.%%I', nspname, relname), pg_get_userbyid(relowner), pg_has_role(relowner, 'usage'),
    relkind::text, nspname || '.' || relname
from pg_class join pg_namespace on pg_namespace.oid = relnamespace
where pg_class.oid = pg_temp.find_set(%s)
"""


class Session(Routines):
    """One table in one connection. ``table`` is its oid, ``name`` its name as SQL writes it, ``dsn`` how to connect again."""

    def __init__(self, connection: Connection, table: str, dsn: str = "") -> None:
        super().__init__(connection, _ROUTINES)
        self.dsn = dsn
        try:
            with connection.transaction():
                found = connection.execute(_TABLE, (table,)).fetchone()
        except psycopg.errors.UndefinedTable as failure:
            near = nearest_table(connection, table, partitioned=False)
            raise ConvertRefused(
                first_line(failure), remedy=f"did you mean {near}?" if near else advice_of(failure)
            ) from failure
        assert found is not None
        self.table, self.name = int(found[0]), str(found[1])
        self.owner, self.may_act, self.is_partitioned = str(found[2]), bool(found[3]), found[4] == "p"
        self._parent_table = str(found[5])
        if found[4] not in ("r", "p"):
            raise ConvertRefused(f"could not convert {self.name}: it is no table", remedy="name a table: schema.table")

    def act_as_owner(self, *, for_now: bool) -> None:
        """Let what follows be done by the table's owner; ``for_now`` in this transaction only."""
        self.connection.execute("select set_config('role', %s, %s)", (self.owner, for_now))

    def refuse_unmanaged(self) -> None:
        """Raise ConvertRefused for a partitioned table that pg_partman does not manage: there is nothing to convert."""
        if not self.rows("part_config", self._parent_table):
            raise ConvertRefused(
                f"could not convert {self.name}: it is partitioned already",
                remedy="name it in partwarden.yaml, and partwarden apply has pg_partman manage it",
            )


@contextmanager
def open_session(dsn: str, table: str) -> Iterator[Session]:
    """Connect and make ready. Raises CouldNotConnect, and ConvertRefused where there is no such table."""
    with connect(dsn) as connection:
        connection.autocommit = True
        with refusals(table):
            session = Session(connection, table, dsn)
            connection.execute(_PATIENT)
        yield session


@contextmanager
def refusals(name: str, attempt: str = "convert") -> Iterator[None]:
    """Turn a server's error into ConvertRefused, with the server's hint as the remedy."""
    try:
        yield
    except psycopg.Error as failure:
        raise _refusal(f"could not {attempt} {name}", failure) from failure


def _refusal(attempt: str, failure: psycopg.Error) -> ConvertRefused:
    again = "run the same command again, and it goes on; --undo takes back what was begun"
    if failure.sqlstate is None or failure.sqlstate.startswith(("08", "57P")):
        return ConvertRefused(
            f"{attempt}: the connection was lost: {str(failure).strip().splitlines()[0]}", remedy=again
        )
    problem = first_line(failure)
    if not problem.startswith(("could not", "there is no")):
        problem = f"{attempt}: {problem}"
    return ConvertRefused(problem, remedy=failure.diag.message_hint or again)
