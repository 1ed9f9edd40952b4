"""Taking a lock without making anybody wait: short tries, and in between everyone goes on.

What waits for a lock makes all who come after it wait as well. So a strong lock is asked for only for as long as others
will not notice, and again a little later. Before that the tables are locked in a mode that keeps nobody but maintenance out
(SHARE UPDATE EXCLUSIVE): a vacuum that the server runs by itself ends when it is waited for, but only after a second,
which a short try never is.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol, TypeVar

import psycopg
from psycopg import sql

from partwarden.database import Connection
from partwarden.draining.events import Tell, Waiting
from partwarden.errors import DrainRefused, LockNotAcquired

Result = TypeVar("Result")

_LONG_SECONDS = 60
"""A transaction that has a lock for so long will probably keep it while we look for our moment."""


class Patience(Protocol):
    """How long to wait, in seconds: in one try, and altogether."""

    @property
    def lock_timeout(self) -> float: ...  # noqa: D102

    @property
    def window(self) -> float: ...  # noqa: D102


@dataclass(frozen=True)
class Holder:
    """A session that has a lock, as far as it can be seen: of other roles only the number, without pg_monitor."""

    pid: int
    role: str | None
    relation: str
    mode: str
    state: str | None
    age: timedelta | None
    query: str | None

    def __str__(self) -> str:
        who = f"process {self.pid}" + (f" ({self.role})" if self.role else "")
        since = f" for {_in_words(self.age)}" if self.age else ""
        doing = f", {self.state}" if self.state else ""
        query = f": {self.query}" if self.query else ""
        return f"{who} holds {self.mode} on {self.relation}{since}{doing}{query}"


def holders(connection: Connection, parent: int) -> list[Holder]:
    """Who holds a lock on the set that an exclusive one has to wait for, the oldest transaction first.

    Looks at the parent, its partitions, and the tables that its foreign keys lead to or come from.
    """
    connection.execute("select pg_stat_clear_snapshot()")  # else what is seen is as old as the transaction
    rows = connection.execute(
        """
        with concerned as (
            select %(parent)s::oid as relation
            union
            select relid from pg_partition_tree(%(parent)s)
            union
            select case when conrelid = %(parent)s then confrelid else conrelid end
            from pg_constraint where contype = 'f' and %(parent)s in (conrelid, confrelid)
        )
        select distinct on (activity.xact_start, lock.pid)
            lock.pid, activity.usename, lock.relation::regclass::text, lock.mode, activity.state,
            clock_timestamp() - activity.xact_start,
            left(regexp_replace(activity.query, '\\s+', ' ', 'g'), 100)
        from pg_locks lock
        left join pg_stat_activity activity on activity.pid = lock.pid
        where lock.locktype = 'relation' and lock.granted and lock.pid <> pg_backend_pid()
          and lock.database = (select oid from pg_database where datname = current_database())
          and lock.relation in (select relation from concerned)
          and activity.application_name is distinct from 'partwarden'
        order by activity.xact_start nulls last, lock.pid, lock.mode
        """,
        {"parent": parent},
    ).fetchall()
    return [Holder(*row) for row in rows]


def refuse_long_holders(
    connection: Connection, parent: int, name: str, patience: Patience, *, attempt: str = "drain"
) -> list[Holder]:
    """Everybody who holds a lock on the set. Raises DrainRefused when one has had it for long and will not be waited for."""
    found = holders(connection, parent)
    slow = [each for each in found if each.age is not None and each.age.total_seconds() > _LONG_SECONDS]
    if slow and patience.window <= _LONG_SECONDS:
        raise DrainRefused(
            f"could not {attempt} {name}: {slow[0]}; the lock that is needed in the end would not be had",
            remedy=f"end it (select pg_terminate_backend({slow[0].pid});), or wait for it: --window '2 hours'",
        )
    return found


def in_short_tries(
    connection: Connection,
    work: Callable[[], Result],
    *,
    parent: int,
    name: str,
    patience: Patience,
    tell: Tell,
    kept: Sequence[str] = (),
) -> Result:
    """``work`` in a transaction of its own, whose locks are waited for in short tries.

    ``kept`` are the tables (as SQL writes them) that are kept from vacuum and other maintenance meanwhile. Raises
    LockNotAcquired with who was in the way when ``patience.window`` is over.
    """
    deadline = time.monotonic() + patience.window
    with connection.transaction():
        if kept:
            _keep_maintenance_out(connection, kept, parent, name)
        connection.execute(
            "select set_config('lock_timeout', %s, true), set_config('synchronous_commit', 'off', true)",
            (f"{max(round(patience.lock_timeout * 1000), 1)}ms",),
        )
        told = 0.0
        while True:
            try:
                with connection.transaction():
                    return work()
            except (psycopg.errors.LockNotAvailable, psycopg.errors.RaiseException) as failure:
                if not _is_lock_timeout(failure):
                    raise
                in_the_way = _first_in_the_way(connection, parent, failure)
                if time.monotonic() > deadline:
                    raise LockNotAcquired(
                        f"could not lock {name} in tries of {patience.lock_timeout * 1000:.0f} ms for "
                        f"{patience.window:.0f} s: {in_the_way}",
                        remedy="nothing is lost: run the same command again later, with a longer --window or "
                        "--lock-timeout, or end that session",
                    ) from failure
                if time.monotonic() > told + 1:
                    tell(Waiting(f"a lock on {name}", in_the_way))
                    told = time.monotonic()
            time.sleep(random.uniform(0.02, 0.08))  # noqa: S311


def wait_for_older_snapshots(connection: Connection, *, name: str, patience: Patience, tell: Tell) -> None:
    """Wait until nobody in this database looks at a moment before now.

    A transaction with such a snapshot would find the new partitions and not the rows in them. PostgreSQL waits in the same
    way when it builds an index concurrently. Of other roles' sessions nothing is seen without pg_monitor.
    """
    select = sql.SQL(
        "select pid, xact_start, backend_xmin::text, usename::text from pg_stat_activity"
        " where datname = current_database() and pid <> pg_backend_pid() and backend_xmin is not null"
        " and application_name is distinct from 'partwarden' and backend_type <> 'autovacuum worker'"
        " order by xact_start"
    )
    older = connection.execute(select).fetchall()
    deadline = time.monotonic() + patience.window
    while older:
        now = set(connection.execute(select).fetchall())
        older = [each for each in older if each in now]
        if not older:
            return
        pid, since, _, role = older[0]
        who = f"process {pid} ({role}) reads from a moment before, in a transaction since {since:%H:%M:%S}"
        if time.monotonic() > deadline:
            raise LockNotAcquired(
                f"could not put the new partitions of {name} in place: {who}",
                remedy="nothing is lost: run the same command again later, with a longer --window, or end that session",
            )
        tell(Waiting("older snapshots", who))
        time.sleep(0.1)


def _keep_maintenance_out(connection: Connection, kept: Sequence[str], parent: int, name: str) -> None:
    listed = ", ".join(f"only {table}" for table in kept)
    try:
        with connection.transaction():
            connection.execute(f"lock table {listed} in share update exclusive mode".encode())
    except psycopg.errors.LockNotAvailable as failure:
        raise LockNotAcquired(
            f"could not work on {name} while other maintenance does: {_first_in_the_way(connection, parent, failure)}",
            remedy="run the same command again when it has ended",
        ) from failure


def _is_lock_timeout(failure: psycopg.Error) -> bool:
    """Whether a lock was not had in time; pg_partman raises what it catches anew, with its own code."""
    told = failure.diag.message_primary or ""
    return isinstance(failure, psycopg.errors.LockNotAvailable) or told.startswith("canceling statement due to lock")


def _first_in_the_way(connection: Connection, parent: int, failure: psycopg.Error) -> str:
    told = failure.diag.message_primary or "another session"
    if "reads from an earlier moment" in told:
        return told
    found = holders(connection, parent)
    return str(found[0]) if found else told


def _in_words(age: timedelta) -> str:
    seconds = age.total_seconds()
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.1f} s"
