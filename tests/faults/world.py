"""The world in which a fault is caused: a database with healthy sets, and its maintenance job in pg_cron."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from psycopg import sql

from partwarden import health
from partwarden.database import Connection
from partwarden.health import Question
from tests.partition_sets import daily_set
from tests.servers import OWNER, Database, Server

MAINTENANCE = "call partman.run_maintenance_proc()"


def far_from_now() -> str:
    """A daily schedule whose due times are half a day away, for after the run that a test has waited for."""
    then = datetime.now(UTC) + timedelta(hours=12)
    return f"{then.minute} {then.hour} * * *"


@dataclass
class World:
    """One fault's own database on a server, with connections that stay open; ``owner`` owns the tables."""

    server: Server
    database: Database
    owner: Connection
    admin: Connection
    cron: Connection
    jobid: int = 0
    held: ExitStack = field(default_factory=ExitStack)

    @property
    def major(self) -> int:
        """The server's version."""
        return self.server.major

    def another_session(self, *, as_owner: bool = True) -> Connection:
        """A session that stays open until the test is over."""
        dsn = self.database.owner_dsn if as_owner else self.database.dsn
        return self.held.enter_context(psycopg.connect(dsn, autocommit=True))

    def restart(self) -> None:
        """Restart the server, and connect again."""
        for connection in (self.owner, self.admin, self.cron):
            connection.close()
        self.server.cluster.stop()
        self.server.cluster.start()
        self.owner = self.another_session()
        self.admin = self.another_session(as_owner=False)
        self.cron = self.held.enter_context(psycopg.connect(self.server.cluster.dsn(), autocommit=True))

    def configure(self, assignment: str, parent: str = "app.a") -> None:
        """Change pg_partman's configuration of a set."""
        self.owner.execute(f"update partman.part_config set {assignment} where parent_table = %s", (parent,))

    def starve(self, parent: str = "app.a") -> None:
        """Have the set want two partitions more than it has, at any time of the day."""
        self.configure("premake = premake + 2", parent)

    def one(self, query: str, *arguments: Any) -> Any:
        """The only value that a query of the owner's returns."""
        row = self.owner.execute(query, arguments).fetchone()
        assert row is not None
        return row[0]

    def child(self, days: int, parent: str = "app.a") -> str:
        """The partition of the day that is so many days from now."""
        return str(
            self.one(
                "select inhrelid::regclass::text from pg_inherits join pg_class on oid = inhrelid "
                "where inhparent = %s::regclass and (regexp_match(pg_get_expr(relpartbound, oid), "
                "'FROM \\(''(.+?)''\\)'))[1]::timestamptz = date_trunc('day', now()) + %s * interval '1 day'",
                parent,
                days,
            )
        )

    def children(self, parent: str = "app.a") -> list[str]:
        """All partitions but the default one."""
        rows = self.owner.execute(
            "select inhrelid::regclass::text from pg_inherits join pg_class on oid = inhrelid "
            "where inhparent = %s::regclass and pg_get_expr(relpartbound, oid) <> 'DEFAULT' order by 1",
            (parent,),
        ).fetchall()
        return [str(name) for (name,) in rows]

    def suffix(self, at: str) -> str:
        """The end of a partition's name as pg_partman writes it, for an instant given as SQL."""
        return str(
            self.one(f"select to_char({at}, datetime_string) from partman.part_config where parent_table = 'app.a'")
        )

    def job(self, assignment: str) -> None:
        """Change the maintenance job, whatever pg_cron would say to it."""
        self.cron.execute(sql.SQL("update cron.job set {} where jobid = %s").format(sql.SQL(assignment)), (self.jobid,))

    def rewrite_run(self, assignment: str) -> None:
        """Change what pg_cron has recorded of the job's only run: time can't be made to pass."""
        self.cron.execute(
            "delete from cron.job_run_details where jobid = %s and runid < "
            "(select max(runid) from cron.job_run_details where jobid = %s)",
            (self.jobid, self.jobid),
        )
        self.cron.execute(
            sql.SQL(
                "update cron.job_run_details set {} where runid = "
                "(select max(runid) from cron.job_run_details where jobid = %s)"
            ).format(sql.SQL(assignment)),
            (self.jobid,),
        )

    def forget_maintenance(self, parent: str) -> None:
        """As if the set had last been maintained three days ago, where pg_partman remembers that."""
        if self.major > 15:
            self.configure("maintenance_last_run = now() - interval '3 days'", parent)


Act = Callable[[World], None]


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong, and the checks that have to find it: these, and no others.

    ``before`` happens before pg_cron runs the job, ``after`` once it has. ``expected`` may differ by server.
    ``thresholds`` are for what would otherwise take too much time to happen.
    """

    name: str
    expected: Mapping[int, frozenset[str]]
    before: Act | None = None
    after: Act | None = None
    command: str = MAINTENANCE
    with_partwarden: bool = False
    # Whether pg_cron has to run the job: 1.4 takes a minute for that, and hangs when it runs dozens at once.
    runs: bool = False
    thresholds: Mapping[str, str | int | bool] = field(default_factory=dict)
    # What takes the schedule to know, which is in another database than the sets.
    outside_only: frozenset[str] = frozenset()
    # What takes down a whole server gets one of its own, with these settings; no job is run there.
    settings: Mapping[str, str] | None = None


def findings(world: World, fault: Fault) -> set[str]:
    """What partwarden check finds from outside: in the fault's database, and of its job where pg_cron lives."""
    question = Question(thresholds=fault.thresholds)
    here = health.check_database(world.database.dsn, question)
    assert here.error is None
    at_cron = health.check_database(world.server.cluster.dsn(), question)
    assert at_cron.error is None
    failed = [each for each in (*here.skipped, *at_cron.skipped) if "the check failed" in each.reason]
    assert failed == []
    job = f"job {world.jobid} "
    return {each.check for each in here.findings} | {
        each.check for each in at_cron.findings if each.object.startswith(job)
    }


def article_sees(world: World) -> bool:
    """Whether the article's query has a row for the job: it looks for failed runs in cron.job_run_details."""
    row = world.cron.execute(
        "select count(*) from cron.job_run_details where jobid = %s and status = 'failed'", (world.jobid,)
    ).fetchone()
    assert row is not None
    return bool(row[0])


def next_run_fails(world: World, command: str) -> bool:
    """Whether the job's command, run now as pg_cron would, ends with an error: the article's query would see that."""
    with psycopg.connect(world.database.owner_dsn, autocommit=True) as job:
        job.execute("set statement_timeout = '5s'")
        try:
            job.execute(command.encode())
        except psycopg.errors.QueryCanceled:
            return False  # it waits
        except psycopg.Error:
            return True
    return False


@contextmanager
def make_world(server: Server, command: str, *, drop: bool = True) -> Iterator[World]:
    """A database with two healthy sets that hold rows of today, and a job of the owner's that maintains it."""
    database = server.new_database()
    with ExitStack() as stack:
        if drop:
            stack.callback(server.drop_database, database)
        world = World(
            server,
            database,
            owner=stack.enter_context(database.connect_owner()),
            admin=stack.enter_context(database.connect()),
            cron=stack.enter_context(psycopg.connect(server.cluster.dsn(), autocommit=True)),
            held=stack,
        )
        world.owner.execute("create schema app")
        for name in ("app.a", "app.b"):
            daily_set(world.owner, name)
            world.owner.execute(f"insert into {name} values (1, now())")
        row = world.cron.execute(
            "select cron.schedule_in_database(%s, %s, %s, %s, %s, true)",
            (f"maintenance {database.name}", far_from_now(), command, database.name, OWNER),
        ).fetchone()
        assert row is not None
        world.jobid = row[0]
        yield world
