"""A connection that drains: the routines of ``sql/session`` in its temporary schema, and how they are called."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from partwarden import bundle
from partwarden.database import Connection, advice_of, connect, first_line
from partwarden.errors import DrainRefused, LockNotAcquired
from partwarden.routines import Routines, nearest_table

_ROUTINES = ("drain_interval", "drain_plan", "find_set", "refuse_drain", "validate_references")


class Session(Routines):
    """One connection, in autocommit; every transaction is begun on purpose.

    ``parent`` is the set's oid, ``name`` its name as SQL writes it.
    """

    def __init__(self, connection: Connection, parent: str) -> None:
        super().__init__(connection, (*_ROUTINES, *bundle.session_routines(but="convert_")))
        # Anything that is waited for outside of short tries is waited for alone: nobody queues behind it.
        connection.execute("select set_config('lock_timeout', '10s', false), set_config('jit', 'off', false)")
        try:
            found = connection.execute(
                "select pg_class.oid, format('%%I.%%I', nspname, relname)"
                " from pg_class join pg_namespace on pg_namespace.oid = relnamespace"
                " where pg_class.oid = pg_temp.find_set(%s)",
                (parent,),
            ).fetchone()
        except psycopg.errors.UndefinedTable as failure:
            near = nearest_table(connection, parent, partitioned=True)
            raise DrainRefused(
                first_line(failure), remedy=f"did you mean {near}?" if near else advice_of(failure)
            ) from failure
        assert found is not None
        self.parent, self.name = int(found[0]), str(found[1])

    def transaction_id(self) -> str:
        """The number of the current transaction, which it gets if it has none."""
        row = self.connection.execute("select pg_current_xact_id()::text").fetchone()
        assert row is not None
        return str(row[0])

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """A transaction that sees one moment from its first statement on."""
        with self.connection.transaction():
            self.connection.execute("set transaction isolation level repeatable read")
            yield


@contextmanager
def open_session(dsn: str, parent: str) -> Iterator[Session]:
    """Connect and make ready. Raises CouldNotConnect, and DrainRefused where there is no such table."""
    with connect(dsn) as connection:
        connection.autocommit = True
        with refusals(parent):
            session = Session(connection, parent)
        yield session


@contextmanager
def refusals(name: str) -> Iterator[None]:
    """Turn a server's error into DrainRefused, with the server's hint as the remedy."""
    try:
        yield
    except psycopg.errors.DiskFull as failure:
        raise DrainRefused(
            f"the server's disk is full while draining {name}: {failure.diag.message_primary}",
            remedy=f"nothing is lost: partwarden drain {name} --abandon gives the space back; --method batch needs less",
        ) from failure
    except psycopg.errors.LockNotAvailable as failure:
        raise LockNotAcquired(
            f"could not drain {name}: {failure.diag.message_primary}",
            remedy="another session holds a lock on it; nothing is lost: run the same command again",
        ) from failure
    except psycopg.OperationalError as failure:
        if not _is_lost(failure):
            raise _refusal(name, failure) from failure
        raise DrainRefused(
            f"the connection was lost while draining {name}: {str(failure).strip().splitlines()[0]}",
            remedy="nothing is lost: run the same command again, and it goes on",
        ) from failure
    except psycopg.Error as failure:
        raise _refusal(name, failure) from failure


def _is_lost(failure: psycopg.OperationalError) -> bool:
    """Whether the session is gone, and not just the statement."""
    return failure.sqlstate is None or failure.sqlstate.startswith(("08", "57P"))


def _refusal(name: str, failure: psycopg.Error) -> DrainRefused:
    problem = failure.diag.message_primary or str(failure)
    if not problem.startswith(("could not", "there is no")):
        problem = f"could not drain {name}: {problem}"
    if failure.diag.message_detail and not failure.diag.message_hint:
        problem += f": {failure.diag.message_detail}"
    return DrainRefused(problem, remedy=advice_of(failure))
