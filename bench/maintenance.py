"""``call partwarden.maintain()`` against pg_partman's own maintenance: what others feel of it, and a thousand sets."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

import psycopg
from tests.partition_sets import put_row_in_the_way, want_one_more_partition
from tests.servers import Database, Server

from bench.filled_set import PARENT, FilledSet, fresh_copy, make_filled_set
from bench.load import under_load
from bench.measure import joined, table, what_it_said
from bench.options import Options, tell
from bench.partition_sets import grow, make_real_sets
from bench.servers import connect_owner, describe, fresh_server
from bench.stalls import NOTHING, Round, after, answers_table, by_itself, loaded, stall_targets, stalls_table
from bench.targets import Target, targets_table
from partwarden.database import Connection
from partwarden.install import install

OURS = "partwarden.maintain()"
PEER = "run_maintenance_proc()"

_CALLS = {PEER: "call partman.run_maintenance_proc()", OURS: "call partwarden.maintain()"}

_BROKEN_OURS = f"{OURS}, one set broken"
_BROKEN_PEER = f"{PEER}, one set broken"

_NEW_PARTITIONS = 10
_BROKEN_SET = "app.daily_a"
_TIMES_THE_PEER = 1.15
_SETTLE_SECONDS = 1.0


@dataclass(frozen=True)
class _Run:
    """One call: how long it took, how it failed, and how many sets have a partition more than before."""

    seconds: float
    error: str | None
    sets_maintained: int = 0


def run(options: Options) -> Iterator[str]:
    """The results of each server, as they come."""
    for major in options.majors:
        yield _beside_a_full_default(major, options)
        yield _many_sets(major, options)


def _beside_a_full_default(major: int, options: Options) -> str:
    """Of the sizes asked for, the largest."""
    with fresh_server(major) as server:
        template = make_filled_set(server, max(options.rows))
        with template.database.connect() as superuser:
            described = describe(superuser)
        with template.database.connect_owner() as owner:
            install(owner, cluster="bench")
            owner.execute("update partman.part_config set premake = premake + %s", (_NEW_PARTITIONS,))
        found: dict[str, list[Round]] = {name: [] for name in (NOTHING, *_CALLS)}
        for number in range(options.rounds):
            tell(f"{major}: {template.rows:,} rows in the default, round {number + 1}: {NOTHING}")
            with fresh_copy(template) as copy:
                found[NOTHING].append(by_itself(copy))
            for name, call in _CALLS.items():
                with fresh_copy(template) as copy:
                    tell(f"{major}: {template.rows:,} rows in the default, round {number + 1}: {name}")
                    found[name].append(_under_load(copy, call))
    return joined(
        f"## Maintenance beside {template.rows:,} rows in the default partition: PostgreSQL {major}",
        described,
        f"### {_NEW_PARTITIONS} partitions are made, none of the rows is in the way: the longest that others waited",
        stalls_table(dict(found)),
        "### The same: what they were told that was not so",
        answers_table(dict(found)),
        "### Targets",
        targets_table(stall_targets("beside a full default", found[OURS])),
    )


def _under_load(filled: FilledSet, call: str) -> Round:
    with filled.database.connect_owner() as owner:
        before = _partitions(owner)[PARENT]
        with under_load(loaded(filled)) as recorded:
            run = _call(filled.database, call)
            time.sleep(_SETTLE_SECONDS)
        made = _partitions(owner)[PARENT] - before
    error = run.error
    if error is None and made != _NEW_PARTITIONS:
        error = f"made {made} partitions instead of {_NEW_PARTITIONS}"
    return after(filled, run.seconds, recorded, error)


def _many_sets(major: int, options: Options) -> str:
    with fresh_server(major) as server:
        tell(f"{major}: making {options.sets:,} sets")
        database = _make_sets(server, options.sets)
        with database.connect() as superuser, database.connect_owner() as owner:
            described = describe(superuser)
            runs: dict[str, list[_Run]] = {PEER: [], _BROKEN_OURS: [], OURS: [], _BROKEN_PEER: []}
            for number in range(options.rounds + 1):  # the first, which fills caches and takes note, does not count
                for name in (PEER, _BROKEN_OURS, OURS):
                    tell(f"{major}: {options.sets:,} sets, round {number}: {name}")
                    run = _maintain(
                        database, owner, _CALLS[PEER if name == PEER else OURS], broken=name == _BROKEN_OURS
                    )
                    if number:
                        runs[name].append(run)
            # Once, and last: it leaves sets behind.
            tell(f"{major}: {options.sets:,} sets: {_BROKEN_PEER}")
            runs[_BROKEN_PEER].append(_maintain(database, owner, _CALLS[PEER], broken=True))
    return joined(
        f"## Maintenance of {options.sets:,} sets, a partition to be made in each: PostgreSQL {major}",
        described,
        _runs_table(runs),
        targets_table(_sets_targets(options.sets, runs)),
    )


def _make_sets(server: Server, sets: int) -> Database:
    database = server.new_database("bench")
    with database.connect_owner() as owner:
        make_real_sets(owner)
        grow(database, sets)
        install(owner, cluster="bench")
        # It would be mended, and then all sets were maintained.
        owner.execute("insert into partwarden.set_policy (parent_table, repair) values (%s, 'off')", (_BROKEN_SET,))
    return database


def _maintain(database: Database, owner: Connection, call: str, *, broken: bool) -> _Run:
    """One more partition is due in every set; where ``broken``, a row of the default partition is in the way of one."""
    want_one_more_partition(owner)
    if broken:
        put_row_in_the_way(owner, _BROKEN_SET)
    before = _partitions(owner)
    run = _call(database, call)
    now = _partitions(owner)
    if broken:
        owner.execute(f"delete from {_BROKEN_SET} where id = 999999".encode())
        owner.execute("select partman.run_maintenance(%s)", (_BROKEN_SET,))
    return _Run(run.seconds, run.error, sum(now[parent] > number for parent, number in before.items()))


def _call(database: Database, statement: str) -> _Run:
    """In a session of its own, as pg_cron has one."""
    error = None
    with connect_owner(database.server, database.name) as connection:
        started = time.monotonic()
        try:
            connection.execute(statement.encode())
        except psycopg.Error as failed:
            error = what_it_said(failed)
        taken = time.monotonic() - started
    return _Run(taken, error)


def _partitions(connection: Connection) -> dict[str, int]:
    """How many partitions each set has that pg_partman manages."""
    rows = connection.execute(
        "select parent_table, count(*) from partman.part_config join pg_inherits on inhparent = parent_table::regclass"
        " group by parent_table"
    ).fetchall()
    return dict(rows)


def _runs_table(runs: dict[str, list[_Run]]) -> str:
    rows = [
        (
            name,
            len(each),
            f"{median(run.seconds for run in each):,.2f}",
            f"{min(run.seconds for run in each):,.2f} … {max(run.seconds for run in each):,.2f}",
            f"{min(run.sets_maintained for run in each):,}",
            "; ".join(sorted({run.error.replace("|", "/") for run in each if run.error is not None})),
        )
        for name, each in runs.items()
    ]
    return table(("what", "runs", "s, median", "s, from … to", "sets maintained, at least", "how it ended"), rows)


def _sets_targets(sets: int, runs: dict[str, list[_Run]]) -> list[Target]:
    peer, ours = (median(run.seconds for run in runs[name]) for name in (PEER, _BROKEN_OURS))
    maintained = min(run.sets_maintained for run in runs[_BROKEN_OURS])
    return [
        Target(f"sets maintained of {sets:,}, one of them broken", "≥", sets - 1, maintained),
        Target(f"time with one set broken, against {PEER} with none", "≤", _TIMES_THE_PEER, ours / peer, " times"),
    ]
