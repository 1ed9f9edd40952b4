"""The monitor against the article's query, as cron.job_run_details grows.

Both run in the database that pg_cron lives in, taking turns. The article's query runs as the superuser, as in the article,
for whom row-level security adds no condition; the monitor as an ordinary role. Left out of the article's side is what
it does with each row that it finds: a Lambda invocation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from statistics import median

import psycopg
from tests.partition_sets import daily_set
from tests.servers import OWNER, Server

from bench.measure import seconds, table
from bench.servers import careless, connect_owner, describe, fresh_server
from partwarden.database import Connection
from partwarden.install import install
from partwarden.local.owner import grant_to_owner

SIZES = (50_000, 500_000, 5_000_000)

_DATABASE = "postgres"
_FAILED = 5_000

_QUERY = """
    SELECT database, command, start_time, runid
    FROM cron.job_run_details
    WHERE status = 'failed'
      AND command LIKE '%run_maintenance_proc%'
      AND status != 'running'
"""

# The article's procedure without the invocation: the loop keeps the query from running in parallel.
_LOOP = f"do $$ declare v_job_record record; begin for v_job_record in {_QUERY} loop end loop; end $$"
_MONITOR = "call partwarden.monitor()"

# Hourly maintenance and another job every minute; each row is as wide as pg_cron's own.
_FILL = """
    insert into cron.job_run_details
        (jobid, runid, job_pid, database, username, command, status, return_message, start_time, end_time)
    select
        case when n %% 60 = 0 then 1 else 2 end, n, 1000 + n %% 30000, 'postgres', %(role)s,
        case when n %% 60 = 0 or n <= %(failed)s then 'CALL partman.run_maintenance_proc()'
             else 'select count(*) from app.something' end,
        case when n <= %(failed)s then 'failed' else 'succeeded' end,
        case when n <= %(failed)s then E'ERROR:  updated partition constraint for default partition would be violated'
             when n %% 60 = 0 then 'CALL' else '1 row' end,
        began, began + interval '1 second'
    from generate_series(%(first)s::bigint, %(last)s::bigint) as n
    cross join lateral (select now() - (%(largest)s - n) * interval '1 minute' as began) at
"""


def run(major: int, rounds: int, sizes: tuple[int, ...] = SIZES) -> str:
    """What a look costs for each size of the table, without and with partition sets beside it."""
    with (
        fresh_server(major) as server,
        psycopg.connect(server.cluster.dsn(_DATABASE), autocommit=True) as superuser,
        connect_owner(server, _DATABASE) as owner,
    ):
        superuser.execute(f"grant create on database {_DATABASE} to {OWNER}".encode())
        for job in ("CALL partman.run_maintenance_proc()", "select count(*) from app.something"):
            # On one day of the year: they only have to be there.
            owner.execute("select cron.schedule_in_database(%s, '0 0 1 1 *', %s, %s)", (job, job, _DATABASE))
        install(owner, cluster="bench")
        rows: list[tuple[object, ...]] = []
        filled = 0
        for size in sizes:
            with careless(superuser):
                _fill(superuser, filled, size, max(sizes))
            filled = size
            for sets in (0, 7):
                with _sets(superuser, owner, sets):
                    rows += [
                        _measure(server, superuser, owner, size, sets, rounds, fresh=fresh) for fresh in (True, False)
                    ]
        header = (
            "connection", "rows", "MB", "sets", "article's loop, ms", "its query alone, ms", "monitor, ms",
            "loop / monitor", "query / monitor",
        )  # fmt: skip
        return f"## The log of pg_cron's runs\n\n{describe(superuser)}\n{table(header, rows)}"


def _fill(superuser: Connection, filled: int, size: int, largest: int) -> None:
    superuser.execute(_FILL, {"role": OWNER, "failed": _FAILED, "first": filled + 1, "last": size, "largest": largest})
    superuser.execute("select setval('cron.runid_seq', %s)", (size,))
    superuser.execute("vacuum analyze cron.job_run_details")


@contextmanager
def _sets(superuser: Connection, owner: Connection, number: int) -> Iterator[None]:
    """That many sets by day, with pg_partman, in the database of pg_cron; nothing of them is left afterwards."""
    if number:
        superuser.execute("create schema partman")
        superuser.execute("create extension pg_partman schema partman")
        grant_to_owner(superuser, OWNER)
        owner.execute("create schema app")
        for n in range(number):
            daily_set(owner, f"app.set_{n}")
            owner.execute(f"insert into app.set_{n} values (1, now())".encode())
        owner.execute("call partwarden.maintain()")
    try:
        yield
    finally:
        if number:
            for statement in ("drop schema app cascade", "drop extension pg_partman", "drop schema partman cascade"):
                superuser.execute(statement.encode())


def _measure(
    server: Server, superuser: Connection, owner: Connection, size: int, sets: int, rounds: int, *, fresh: bool
) -> tuple[object, ...]:
    as_superuser = _opener(lambda: psycopg.connect(server.cluster.dsn(_DATABASE), autocommit=True), superuser, fresh)
    as_owner = _opener(lambda: connect_owner(server, _DATABASE), owner, fresh)
    sides = {"loop": (as_superuser, _LOOP), "query": (as_superuser, _QUERY), "monitor": (as_owner, _MONITOR)}
    times: dict[str, list[float]] = {name: [] for name in sides}
    for attempt in range(rounds + 1):  # the first, which fills caches and finds what is new, does not count
        for name, (opened, statement) in sides.items():
            with opened() as connection:
                taken = seconds(lambda: connection.execute(statement.encode()))  # noqa: B023
            if attempt:
                times[name].append(taken * 1000)
    loop, query, monitor = (median(times[name]) for name in sides)
    (megabytes,) = superuser.execute("select pg_table_size('cron.job_run_details') / 1e6").fetchone() or (0,)
    return (
        "new each time" if fresh else "the same", f"{size:,}", f"{megabytes:,.0f}", sets, f"{loop:,.1f}",
        f"{query:,.1f}", f"{monitor:,.1f}", f"{loop / monitor:,.2f}", f"{query / monitor:,.2f}",
    )  # fmt: skip


def _opener(
    connect: Callable[[], Connection], kept: Connection, fresh: bool
) -> Callable[[], AbstractContextManager[Connection]]:
    return connect if fresh else lambda: nullcontext(kept)
