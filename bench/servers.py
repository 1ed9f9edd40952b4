"""The private servers that are measured, with PostgreSQL's own defaults, and what is said of them."""

from __future__ import annotations

import os
import platform
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from tests.servers import OWNER, Server, running_server

from partwarden.database import Connection, inspect

# As initdb leaves them. The tests' servers set the first three differently.
_SETTINGS = ("fsync", "full_page_writes", "max_connections", "max_locks_per_transaction", "shared_buffers",
             "work_mem", "max_parallel_workers_per_gather", "jit", "autovacuum")  # fmt: skip


_LIKE_A_REAL_ONE = {"fsync": "on", "full_page_writes": "on", "max_connections": "100"}


@contextmanager
def fresh_server(major: int) -> Iterator[Server]:
    """A new server of that version, gone after the block."""
    with (
        tempfile.TemporaryDirectory() as secrets,
        running_server(major, Path(secrets), _LIKE_A_REAL_ONE, on_disk=True) as server,
    ):
        yield server


@contextmanager
def careless(connection: Connection) -> Iterator[None]:
    """No fsync while tables are filled, which is not measured; the connection is a superuser's in autocommit."""
    for statement in ("alter system set fsync = off", "select pg_reload_conf()"):
        connection.execute(statement)
    yield
    for statement in ("alter system reset fsync", "select pg_reload_conf()", "checkpoint"):
        connection.execute(statement)


def describe(connection: Connection) -> str:
    """Machine, server and settings, as a list in Markdown."""
    extensions = ", ".join(f"{each.name} {each.version}" for each in inspect(connection).extensions.values())
    settings = connection.execute(
        "select string_agg(name || ' = ' || current_setting(name), ', ' order by name) from pg_settings"
        " where name = any (%s)",
        (list(_SETTINGS),),
    ).fetchone()
    assert settings is not None
    return (
        f"- {os.cpu_count()} cores ({_cpu()}), {_memory_gb():.0f} GB of memory, {platform.system()}\n"
        f"- PostgreSQL {connection.info.parameter_status('server_version')}; {extensions}\n"
        f"- {settings[0]}\n"
        f"- client and server on the same machine, load average at the start {os.getloadavg()[0]:.1f}\n"
    )


def connect_owner(server: Server, database: str) -> Connection:
    """A new connection of the ordinary role that owns the tables, in autocommit."""
    return psycopg.connect(server.cluster.dsn(database, OWNER), autocommit=True)


def _cpu() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "?")


def _memory_gb() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
