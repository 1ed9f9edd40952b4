"""Connecting to a database, and what is there: which server, which extensions, which versions."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from partwarden.cutoff import cut_off
from partwarden.dsn import Login, resolve
from partwarden.errors import CouldNotConnect, PartwardenError

Connection = psycopg.Connection[tuple[Any, ...]]

log = logging.getLogger(__name__)

OLDEST_SERVER = 130000

# A lock that is not to be had is no reason to wait: whoever wants the table behind us would wait too.
_LOCK_TIMEOUT_MS = 1000

_ASK_ITS_OWNER = "connect as the role that owns it, or have that role grant what is missing"


@dataclass(frozen=True)
class Extension:
    """An installed extension: its version as it calls itself, and the schema it lives in."""

    name: str
    version: str
    schema: str


@dataclass(frozen=True)
class Server:
    """What a connection finds on the other side. ``version`` is PostgreSQL's number, 150004 for 15.4."""

    version: int
    database: str
    user: str
    extensions: dict[str, Extension]
    in_recovery: bool

    def has(self, extension: str) -> bool:
        """Whether the extension is installed in this database."""
        return extension in self.extensions


@contextmanager
def connect(
    dsn: str, *, database: str | None = None, timeout: float | None = None, cut_after: float | None = None
) -> Iterator[Connection]:
    """Connect as libpq does: a URI, ``key=value`` pairs, PG* variables, the service file, the password file; or by AWS.

    ``database`` replaces the one that ``dsn`` names. ``timeout`` is in seconds, for connecting and then for each statement,
    which the server keeps; ``cut_after`` for the block as a whole, which we keep, whatever has become of the server.
    Raises CouldNotConnect, NoAnswer when ``cut_after`` is over, and AwsFailed where AWS has to give a token or a password
    and does not; none of them ever holds the password.
    """
    started = time.monotonic()
    login = resolve(dsn)
    with (
        _open(login, database, timeout) as connection,
        nullcontext() if cut_after is None else cut_off(connection, cut_after),
    ):
        log.info(
            "connected to %s as %s in %.0f ms", login.shown, connection.info.user, 1000 * (time.monotonic() - started)
        )
        if timeout is not None:
            connection.autocommit = True
            connection.execute(
                "select pg_catalog.set_config('statement_timeout', %s, false)", (_milliseconds(timeout),)
            )
            connection.autocommit = False
        yield connection


def _open(login: Login, database: str | None, timeout: float | None) -> Connection:
    try:
        conninfo = make_conninfo(login.conninfo, application_name="partwarden")
        if database is not None:
            conninfo = make_conninfo(conninfo, dbname=database)
        patience = float(conninfo_to_dict(conninfo).get("connect_timeout") or 10)
        return psycopg.connect(conninfo, connect_timeout=math.ceil(min(patience, timeout or patience)))
    except psycopg.ProgrammingError:
        refusal = CouldNotConnect(
            "this is not a connection string that libpq understands",
            remedy="write postgresql://user@host:5432/database or 'host=… dbname=… user=…'",
        )
    except psycopg.OperationalError as failure:
        said = str(failure).strip()
        refusal = CouldNotConnect(f"could not connect to {login.shown}: {said}", remedy=login.advice(said), reason=said)
    # Out here: psycopg's error carries the connection string, and would stand behind ours.
    raise refusal


@contextmanager
def connect_read_only(
    dsn: str, *, timeout: float | None, database: str | None = None, cut_after: float | None = None
) -> Iterator[Connection]:
    """Connect to look at a catalog: nothing can be written, no lock is waited for; ``timeout`` and ``cut_after`` as above."""
    with connect(dsn, database=database, timeout=timeout, cut_after=cut_after) as connection:
        make_read_only(connection)
        yield connection


def make_read_only(connection: Connection) -> None:
    """Have a connection do nothing but look: in autocommit, writing nothing, waiting a second for a lock."""
    connection.autocommit = True
    connection.read_only = True
    settings = (
        ("default_transaction_read_only", "on"),
        ("lock_timeout", str(_LOCK_TIMEOUT_MS)),
        ("jit", "off"),
        # The planner takes every common table expression for one row, and joins thousands by nested loops.
        ("enable_nestloop", "off"),
        ("search_path", "pg_catalog, pg_temp"),
        # What comes back is read by us, whatever the role or the database has set for people.
        ("datestyle", "ISO"),
        ("intervalstyle", "postgres"),
    )
    calls = sql.SQL(", ").join(sql.SQL("pg_catalog.set_config({}, {}, false)").format(*each) for each in settings)
    connection.execute(sql.SQL("select {}").format(calls))  # one way to the server and back


def write_plainly(connection: Connection) -> None:
    """Times and intervals are written as every session reads them, whatever the role or the database has set."""
    connection.execute(
        "select pg_catalog.set_config('datestyle', 'ISO', false), pg_catalog.set_config('intervalstyle', 'postgres', false)"
    )


@contextmanager
def explained(attempt: str, kind: type[PartwardenError]) -> Iterator[None]:
    """Turn a server's error inside the block into ``kind``, which says what was attempted."""
    try:
        yield
    except psycopg.errors.LockNotAvailable as failure:
        raise kind(
            f"{attempt}: {first_line(failure)}",
            remedy="another session holds a lock on it; try again when it has ended",
        ) from failure
    except psycopg.Error as failure:
        raise kind(f"{attempt}: {first_line(failure)}", remedy=advice_of(failure)) from failure


def _milliseconds(seconds: float) -> str:
    return str(max(int(seconds * 1000), 1))


def inspect(connection: Connection) -> Server:
    """What server and extensions ``connection`` leads to."""
    row = connection.execute(
        "select current_setting('server_version_num')::int, current_database(), current_user, pg_is_in_recovery()"
    ).fetchone()
    assert row is not None
    extensions = connection.execute(
        "select extname, extversion, nspname from pg_extension join pg_namespace on extnamespace = pg_namespace.oid"
    ).fetchall()
    return Server(
        version=row[0],
        database=row[1],
        user=row[2],
        in_recovery=row[3],
        extensions={name: Extension(name, version, schema) for name, version, schema in extensions},
    )


def setting(connection: Connection, name: str) -> str | None:
    """A server setting that this role may not be allowed to see, in which case it is None."""
    try:
        with connection.transaction():
            row = connection.execute("select current_setting(%s, true)", (name,)).fetchone()
    except psycopg.errors.InsufficientPrivilege:
        return None
    return row[0] if row else None


def quoted(*names: str) -> str:
    """Names as SQL writes them, joined by dots."""
    return sql.Identifier(*names).as_string(None)


def problem_of(failure: PartwardenError | psycopg.Error) -> str:
    """What went wrong, as a report may say it."""
    return failure.problem if isinstance(failure, PartwardenError) else first_line(failure)


def advice_of(failure: psycopg.Error) -> str:
    """What to do next about what the server says: its own hint, or what its kind of error usually wants."""
    if failure.diag.message_hint:
        return failure.diag.message_hint
    match failure:
        case psycopg.errors.QueryCanceled():
            return "give it more time: --timeout SECONDS"
        case psycopg.errors.ReadOnlySqlTransaction():
            return "connect to where it can be written: the primary, without default_transaction_read_only"
        case psycopg.errors.InsufficientPrivilege():
            return _ASK_ITS_OWNER
        # What pg_partman catches it raises anew, with a code of its own.
        case psycopg.errors.RaiseException() if first_line(failure).startswith(("permission denied", "must be owner")):
            return _ASK_ITS_OWNER
        case psycopg.errors.OperationalError():
            return "see that the server is well, then the same command again"
        case _:
            return "the same command with -v says where it was asked, with --debug from where in the program"


def first_line(failure: psycopg.Error) -> str:
    """What the server says, without its context."""
    return (failure.diag.message_primary or str(failure)).strip().splitlines()[0]
