"""How ``partwarden check`` and ``partwarden.monitor()`` grow with the number of partition sets."""

from __future__ import annotations

import json
from statistics import median

import psycopg
from tests.servers import Database

from bench.measure import run_check, seconds, table, watching
from bench.partition_sets import count_sets, grow, make_real_sets
from bench.servers import connect_owner, describe, fresh_server
from partwarden.database import Connection
from partwarden.install import install

SIZES = (100, 1_000, 3_000)


def run(major: int, rounds: int, sizes: tuple[int, ...] = SIZES) -> str:
    """What it costs for each number of sets."""
    with fresh_server(major) as server:
        database = server.new_database("bench")
        with database.connect() as superuser, database.connect_owner() as owner:
            make_real_sets(owner)
            rows = []
            for size in sizes:
                grow(database, size)
                rows += _measure(database, owner, size, rounds)
            header = (
                "what", "sets", "tables", "ms, median", "ms, from … to", "ms a set", "client MB", "backend MB", "locks",
                "lock modes", "status",
            )  # fmt: skip
            return f"## Many partition sets\n\n{describe(superuser)}\n{table(header, rows)}"


def _measure(database: Database, owner: Connection, size: int, rounds: int) -> list[tuple[object, ...]]:
    sets, tables, _ = count_sets(owner)
    assert sets == size
    # The first run after the tables were made reads them from disk.
    run_check(database.owner_dsn)
    runs = [run_check(database.owner_dsn) for _ in range(rounds)]
    with watching(database.dsn, "application_name = 'partwarden'") as seen:
        run_check(database.owner_dsn)
    status = {json.loads(each.stdout)["status"] for each in runs}
    check = (
        "partwarden check", sets, tables, *_times([each.seconds for each in runs], sets),
        f"{median(each.peak_mb for each in runs):.0f}", f"{seen.private_mb:.0f}", seen.relation_locks, seen.modes_told,
        ", ".join(status),
    )  # fmt: skip

    install(owner, cluster="bench")
    times = []
    for _ in range(rounds + 2):
        _forget_how_long_it_took(owner)
        with connect_owner(database.server, database.name) as connection:
            times.append(seconds(lambda: connection.execute("call partwarden.monitor()")))
    _forget_how_long_it_took(owner)
    with (
        psycopg.connect(database.owner_dsn, autocommit=True) as connection,
        watching(database.dsn, f"pid = {connection.info.backend_pid}") as seen,
    ):
        connection.execute("call partwarden.monitor()")
    incidents = owner.execute("select count(*) from partwarden.incident").fetchone()
    assert incidents is not None
    owner.execute("drop schema partwarden cascade")
    monitor = (
        "partwarden.monitor()", sets, tables, *_times(times[2:], sets), "", f"{seen.private_mb:.0f}",
        seen.relation_locks, seen.modes_told, f"{incidents[0]} incidents",
    )  # fmt: skip
    return [check, monitor]


def _forget_how_long_it_took(owner: Connection) -> None:
    """Else the monitor lets the sets rest after a look that took more than a second, and does the other checks only."""
    owner.execute("update partwarden.monitor_state set sets_took = null")


def _times(times: list[float], sets: int) -> tuple[str, str, str]:
    middle = median(times) * 1000
    return f"{middle:,.0f}", f"{min(times) * 1000:,.0f} … {max(times) * 1000:,.0f}", f"{middle / sets:.2f}"
