"""Looks from a second connection at what a statement is doing that takes long, and tells of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg

from partwarden.database import Connection, connect
from partwarden.draining.events import Event, Progress, Waiting
from partwarden.errors import PartwardenError

_SECONDS = 1.0

_LOOK = """
select
    coalesce(nullif(greatest(blocks_done, tuples_done), 0), lockers_done),
    coalesce(nullif(greatest(blocks_total, tuples_total), 0), lockers_total),
    waited_for.pid, waited_for.usename, waited_for.state, waited_for.xact_start
from pg_stat_progress_create_index building
left join pg_stat_activity waited_for on waited_for.pid = nullif(current_locker_pid, 0)
where building.pid = %s
"""


@contextmanager
def watched(dsn: str, pid: int, step: str, tell: Callable[[Event], None]) -> Iterator[None]:
    """While the block lasts, tell each second how far the index has come that process ``pid`` builds, and whom it waits for.

    Where that can't be seen, nothing is told; the work goes on all the same.
    """
    is_over = threading.Event()
    watcher = threading.Thread(target=_watch, args=(dsn, pid, step, tell, is_over), daemon=True)
    watcher.start()
    try:
        yield
    finally:
        is_over.set()
        watcher.join()


def _watch(dsn: str, pid: int, step: str, tell: Callable[[Event], None], is_over: threading.Event) -> None:
    if is_over.wait(_SECONDS):  # most are built by then
        return
    try:
        with connect(dsn) as connection:
            connection.autocommit = True
            while not is_over.wait(_SECONDS):
                _tell_once(connection, pid, step, tell)
    except (psycopg.Error, PartwardenError):
        return


def _tell_once(connection: Connection, pid: int, step: str, tell: Callable[[Event], None]) -> None:
    row = connection.execute(_LOOK, (pid,)).fetchone()
    if row is None:
        return
    done, total, holder, role, state, since = row
    if holder is not None:
        who = f"process {holder}" + (f" ({role}), {state}, in a transaction since {since:%H:%M:%S}" if since else "")
        tell(Waiting("older transactions", who))
    else:
        tell(Progress(step, int(done or 0), int(total or 0)))
