"""The tools that move rows out of a default partition, each started on one filled set as its users start it."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import psycopg
from psycopg import sql

from bench.filled_set import DEFAULT, PARENT, FilledSet, rows_in_default
from bench.measure import Run, run_process, what_it_said
from bench.partsmith import VERSION, Partsmith
from partwarden.database import Connection

OURS = "partwarden drain"
PEER = "partition_data_proc"
RAW = "raw limit: one exclusive transaction"
_ASYNC = "partition_data_async"
_PARTSMITH = f"pg-partsmith {VERSION} backfill"

_ASYNC_INTERVAL = "1 hour"
"""It has to be shorter than the set's own; each is a transaction there, and another one on."""


@dataclass(frozen=True)
class Moved:
    """One run of a tool: how long it took, as a whole, and what was left to do when it ended.

    ``own_seconds`` is what it says itself that it took, ``client_mb`` the largest memory of its process, where it has
    one; ``error`` how it failed, None where it did not.
    """

    seconds: float
    left: int
    error: str | None = None
    client_mb: float | None = None
    own_seconds: float | None = None


@dataclass(frozen=True)
class Mover:
    """A tool with a name; ``obstacle`` says why it can't be measured at all.

    ``wants_quiet`` is one that rows which keep arriving in the default partition make fail, so that what others feel of
    it is seen only where none arrive.
    """

    name: str
    move: Callable[[FilledSet], Moved]
    obstacle: str | None = None
    wants_quiet: bool = False


def movers(major: int, partsmith: Partsmith, limit: float) -> list[Mover]:
    """Those that there are on a server of that version; each is stopped after ``limit`` seconds."""
    raw = Mover(RAW, lambda filled: _in_session(filled, limit, lambda owner: _move_at_once(owner, filled)))
    peer = Mover(
        PEER,
        lambda filled: _call(filled, limit, f"call partman.partition_data_proc('{PARENT}', p_wait => 0)"),
        wants_quiet=True,
    )
    ours = Mover(OURS, lambda filled: _drain(filled, limit))
    with_storage = Mover(
        _ASYNC,
        lambda filled: _call(
            filled,
            limit,
            f"call partman.partition_data_async('{PARENT}', p_interval => '{_ASYNC_INTERVAL}', p_wait => 0)",
        ),
        wants_quiet=True,
    )
    backfill = Mover(_PARTSMITH, lambda filled: _backfill(partsmith, filled, limit), partsmith.obstacle)
    return [peer, ours, raw, *([with_storage] if major >= 18 else []), backfill]


def copy_elsewhere(filled: FilledSet, limit: float) -> Moved:
    """As many rows, indexed, into a table of their own: what others feel of it is the machine's doing, not a lock's."""

    def copy(owner: Connection) -> None:
        for statement in (
            f"create table app.elsewhere as select * from only {DEFAULT}",
            "alter table app.elsewhere add primary key (event_id, created_at)",
            "create index on app.elsewhere (created_at)",
        ):
            owner.execute(statement.encode())

    return _in_session(filled, limit, copy)


def _drain(filled: FilledSet, limit: float) -> Moved:
    command = [sys.executable, "-m", "partwarden", "drain", PARENT, "--database", filled.database.owner_dsn]
    command += ["--method", "swap", "--json"]
    run = run_process(command, limit=limit)
    events = [json.loads(line) for line in run.stdout.splitlines() if line.startswith("{")]
    own = next((float(each["seconds"]) for each in reversed(events) if each["event"] == "finished"), None)
    moved = _of_process(filled, run, limit, ok=(0, 1), own_seconds=own)
    if moved.error is None and own is None:
        return replace(moved, error=f"exit code {run.exit_code} without an end: {_gist(run.stderr)}")
    return moved


def _backfill(partsmith: Partsmith, filled: FilledSet, limit: float) -> Moved:
    return _of_process(filled, partsmith.backfill(filled, limit), limit, ok=(0,))


def _of_process(
    filled: FilledSet, run: Run, limit: float, *, ok: tuple[int, ...], own_seconds: float | None = None
) -> Moved:
    error = None
    if run.exit_code == -signal.SIGKILL:
        error = _stopped_after(limit)
    elif run.exit_code not in ok:
        error = f"exit code {run.exit_code}: {_gist(run.stderr or run.stdout)}"
    return Moved(run.seconds, _left(filled), error, run.peak_mb, own_seconds)


def _call(filled: FilledSet, limit: float, statement: str) -> Moved:
    return _in_session(filled, limit, lambda owner: owner.execute(statement.encode()))


def _in_session(filled: FilledSet, limit: float, work: Callable[[Connection], object]) -> Moved:
    error = None
    with filled.database.connect_owner() as owner:
        owner.execute(f"set statement_timeout = '{limit:.0f}s'".encode())
        started = time.monotonic()
        try:
            work(owner)
        except psycopg.errors.QueryCanceled:
            error = _stopped_after(limit)
        except psycopg.Error as failed:
            error = what_it_said(failed)
        seconds = time.monotonic() - started
    return Moved(seconds, _left(filled), error)


def _gist(text: str) -> str:
    """The line that says what the error is, else the last one."""
    lines = text.strip().splitlines() or [""]
    return next((line for line in lines if line.startswith("error:")), lines[-1])


def _stopped_after(limit: float) -> str:
    return f"stopped after {limit:,.0f} s"


def _left(filled: FilledSet) -> int:
    with filled.database.connect_owner() as owner:
        return rows_in_default(owner)


def _move_at_once(owner: Connection, filled: FilledSet) -> None:
    """As fast as SQL can, with everybody else locked out: indexes after the load, and nothing deleted row by row."""
    with owner.transaction():
        for statement in (
            f"lock table {PARENT} in access exclusive mode",
            f"alter table {PARENT} detach partition {DEFAULT}",
        ):
            owner.execute(statement.encode())
        for first, last in zip(filled.days, [*filled.days[1:], filled.until], strict=True):
            names = {
                "parent": sql.SQL(PARENT),
                "default": sql.SQL(DEFAULT),
                "child": sql.Identifier("app", f"events_p{first:%Y%m%d}"),
                "first": sql.Literal(first),
                "last": sql.Literal(last),
            }
            for statement in (
                "create table {child} (like {parent} including all excluding indexes)",
                "insert into {child} select * from {default} where created_at >= {first} and created_at < {last}",
                "alter table {child} add primary key (event_id, created_at)",
                "create index on {child} (created_at)",
                "alter table {parent} attach partition {child} for values from ({first}) to ({last})",
            ):
                owner.execute(sql.SQL(statement).format(**names))
        for statement in (f"truncate {DEFAULT}", f"alter table {PARENT} attach partition {DEFAULT} default"):
            owner.execute(statement.encode())
