"""That a default partition of millions of rows is not read as a whole: time, and buffers touched."""

from __future__ import annotations

import json
from dataclasses import dataclass
from statistics import median

from tests.partition_sets import daily_set
from tests.servers import Database

from bench.measure import run_check, seconds, table
from bench.servers import careless, describe, fresh_server
from partwarden.database import Connection

ROWS = 4_000_000

_DEFAULT = "app.events_default"


@dataclass(frozen=True)
class _Read:
    """Buffers of the default partition and its indexes, found in memory or read, since the server was made."""

    heap: int
    index: int


def run(major: int, rounds: int, rows: int = ROWS) -> str:
    """What a check takes, and what reading the default partition does."""
    with fresh_server(major) as server:
        database = server.new_database("bench")
        with database.connect() as superuser, database.connect_owner() as owner:
            with careless(superuser):
                _fill(owner, rows)
            found = []
            for statement, told in (
                ("select", "no index begins with the control column"),
                (f"create index on {_DEFAULT} (created_at)", "an index on the control column"),
                (f"delete from {_DEFAULT}", "all rows deleted, not yet vacuumed"),
            ):
                owner.execute(statement.encode())
                if statement.startswith("create"):
                    owner.execute(f"vacuum analyze {_DEFAULT}".encode())
                found += _measure(database, superuser, told, rounds)
            header = ("default partition", "what", "ms, median", "heap blocks", "index blocks", "of heap", "finds")
            return f"## A full default partition\n\n{describe(superuser)}\n{table(header, found)}"


def _fill(owner: Connection, rows: int) -> None:
    owner.execute("create schema app")
    daily_set(owner, "app.events")
    # Autovacuum would begin somewhere in the middle of the measurement.
    owner.execute(f"alter table {_DEFAULT} set (autovacuum_enabled = off)".encode())
    owner.execute("insert into app.events values (0, now())")
    owner.execute(
        f"insert into {_DEFAULT} select n, now() - interval '100 days' - n * interval '1 second'"
        f" from generate_series(1, {rows}) as n".encode()
    )
    owner.execute(f"vacuum analyze {_DEFAULT}".encode())


def _measure(database: Database, superuser: Connection, told: str, rounds: int) -> list[tuple[object, ...]]:
    """A check and a count in turns; the buffers are those of one run each."""
    count = f"select count(*) from {_DEFAULT}".encode()
    pages = superuser.execute(
        "select pg_relation_size(%s) / current_setting('block_size')::integer", (_DEFAULT,)
    ).fetchone()
    assert pages is not None
    check_seconds, count_seconds = [], []
    for _ in range(rounds):
        before = _buffers(superuser)
        check = run_check(database.owner_dsn)
        between = _buffers(superuser)
        check_seconds.append(check.seconds)
        count_seconds.append(seconds(lambda: superuser.execute(count)))
        after = _buffers(superuser)
    findings = [each["check"] for each in json.loads(check.stdout)["findings"]]
    return [
        (told, what, f"{median(times) * 1000:,.0f}", f"{end.heap - start.heap:,}", f"{end.index - start.index:,}",
         f"{(end.heap - start.heap) / pages[0]:.1%}", finds)
        for what, times, start, end, finds in (
            ("partwarden check", check_seconds, before, between, ", ".join(findings) or "nothing"),
            ("select count(*)", count_seconds, between, after, ""),
        )
    ]  # fmt: skip


def _buffers(superuser: Connection) -> _Read:
    superuser.execute("select pg_stat_force_next_flush()")
    superuser.execute("select pg_stat_clear_snapshot()")
    row = superuser.execute(
        "select heap_blks_read + heap_blks_hit, idx_blks_read + idx_blks_hit from pg_statio_user_tables"
        " where relid = %s::regclass",
        (_DEFAULT,),
    ).fetchone()
    assert row is not None
    return _Read(*map(int, row))
