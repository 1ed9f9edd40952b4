"""An agent's sessions: for short statements, again and again, through networks that forget who is connected."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from partwarden.database import Connection, connect

STATEMENT_SECONDS = 30.0
"""How long one statement of the agent's own may take, and a connection to be made."""

_IDLE_SECONDS = 30
_INTERVAL_SECONDS = 10
_PROBES = 3
_UNANSWERED_MILLISECONDS = 60_000


@contextmanager
def connected(dsn: str) -> Iterator[Connection]:
    """A session in autocommit, in which each statement has a time-out and names are looked up nowhere else.

    Raises what ``database.connect`` raises.
    """
    with connect(dsn, timeout=STATEMENT_SECONDS) as connection:
        connection.autocommit = True
        notice_silence(connection)
        connection.execute("select pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', false)")
        yield connection


def notice_silence(connection: Connection) -> None:
    """Have the system give up a connection whose other side says nothing for a minute; by itself it may take hours."""
    with socket.socket(fileno=os.dup(connection.fileno())) as seen:
        if seen.family not in (socket.AF_INET, socket.AF_INET6):
            return
        seen.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in (
            ("TCP_KEEPIDLE", _IDLE_SECONDS),
            ("TCP_KEEPINTVL", _INTERVAL_SECONDS),
            ("TCP_KEEPCNT", _PROBES),
            ("TCP_USER_TIMEOUT", _UNANSWERED_MILLISECONDS),
        ):
            option = getattr(socket, name, None)  # not every system has all of them
            if option is not None:
                seen.setsockopt(socket.IPPROTO_TCP, option, value)
