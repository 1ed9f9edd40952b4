"""Databases that hang, each in its own way, round after round: nobody waits for them, and their pages say why."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import psycopg
import pytest

from partwarden.health import Target
from partwarden.web.watch.watching import Watch
from tests.partition_sets import daily_set
from tests.pooler import pooler
from tests.servers import Database, Server
from tests.waiting import wait_until
from tests.web.looked_at import SET, Served, served, silent_server

pytestmark = pytest.mark.one_server

EVERY = 0.5
TIMEOUT = 3.0
ROUNDS = 2
LOCKED = "lock table partman.part_config in access exclusive mode"


@pytest.fixture
def app(database: Database) -> Database:
    """A database that is well."""
    with database.connect_owner() as owner:
        owner.execute("create schema app")
        daily_set(owner, SET)
    return database


@pytest.fixture
def locked(server: Server) -> Iterator[Database]:
    """One whose tables of pg_partman somebody holds, as an upgrade of the extension does."""
    made = server.new_database()
    with made.connect_owner() as owner:
        owner.execute("create schema app")
        daily_set(owner, SET)
    yield made
    server.drop_database(made)


def said(page: Served, name: str) -> str:
    """What the page of a database says."""
    return page.get(f"/database?name={name}").text


def test_databases_that_hang_hold_up_no_other_round_after_round_and_say_why(app: Database, locked: Database) -> None:
    with (
        silent_server() as silent,
        pooler(app.owner_dsn, "lock_timeout") as frozen,
        psycopg.connect(locked.dsn) as locking,
    ):
        locking.execute(LOCKED)
        frozen.frozen.set()
        targets = {"silent": silent, "frozen": frozen.dsn, "locked": locked.owner_dsn, "app": app.owner_dsn}
        watched = [Target(dsn, name) for name, dsn in targets.items()]
        with served(lambda: Watch(watched, interval=EVERY, timeout=TIMEOUT)) as page:
            started = time.monotonic()
            for name in ("silent", "frozen", "locked"):
                wait_until(lambda: page.watch.version(name) >= ROUNDS, f"{name} was looked at again")  # noqa: B023
            rounds = (time.monotonic() - started) / EVERY
            assert page.watch.version("app") > rounds / 2
            assert "connection timeout expired" in said(page, "silent")
            assert "no answer within 3 s" in said(page, "frozen")
            assert "lock timeout" in said(page, "locked")
            assert "no answer" not in said(page, "app")
            # Who was given up is gone: no thread waits for them any more, and no connection is left.
            assert len([each for each in threading.enumerate() if each.name == "look"]) <= len(targets)
            assert frozen.sessions <= 1

            frozen.frozen.clear()
            locking.rollback()
            wait_until(lambda: "no answer" not in said(page, "frozen"), "it answers again")
            wait_until(lambda: "lock timeout" not in said(page, "locked"), "nobody holds the lock")
