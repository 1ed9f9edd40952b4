"""The story that ``partwarden demo`` tells, each step on the real thing and waited for, none of it staged."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage

import psycopg

from partwarden.database import Connection, inspect
from partwarden.demo.tables import BROKEN, SCHEMA, create_sample
from partwarden.errors import DemoFailed
from partwarden.install import install, uninstall
from partwarden.local.mailbox import read_mails
from partwarden.local.stack import AlertTarget, Stack
from partwarden.schedule import EVERY_MINUTE, runs_every_seconds, schedule, unschedule

_MAIL_SECONDS = 90
_RESOLVED_SECONDS = 40


@dataclass(frozen=True)
class Narrator:
    """How the story is told: a heading for a step, a line for what happens, a mail as it came."""

    step: Callable[[str], None]
    line: Callable[[str], None]
    mail: Callable[[EmailMessage], None]


def run(stack: Stack, tell: Narrator) -> None:
    """Tell the whole story once. Raises DemoFailed when a mail or a run does not come as it should."""
    tell.step("A PostgreSQL, a local AWS and a mailbox")
    target = stack.start(tell.line)
    mails = _Mails(stack, tell)
    with psycopg.connect(stack.owner_dsn, autocommit=True) as owner:
        tell.step("The seven tables of the AWS article, and partwarden")
        _clear(stack, owner)
        for each in create_sample(owner):
            count = _one(
                owner, "select count(*) from pg_inherits where inhparent = %s::regclass", f"{SCHEMA}.{each.table}"
            )
            tell.line(f"{SCHEMA}.{each.table:<20} every {each.interval:<9} {count:>4} partitions")
        install(owner, cluster="demo")
        owner.execute("call partwarden.maintain()")
        owner.execute("call partwarden.monitor()")
        if found := _one(owner, "select count(*) from partwarden.incident"):
            raise DemoFailed(f"{found} incidents before anything was broken", remedy="partwarden local psql")
        tell.line("partwarden is installed, every set is maintained, and nothing is wrong")

        tell.step(f"A row falls into the default partition of {BROKEN}, just where its next partition has to go")
        tell.line(_break(owner))
        owner.execute("insert into partwarden.set_policy (parent_table, repair) values (%s, 'off')", (BROKEN,))
        tell.line(
            "maintenance would move it by itself; for this set that is switched off, to show what is told otherwise"
        )
        owner.execute("update partman.part_config set premake = premake + 1 where parent_table !~ '_p[0-9_]+$'")
        tell.line("every set wants one partition more: maintenance is due")

        tell.step("pg_cron runs partwarden.maintain() and partwarden.monitor()")
        fast = _schedule(stack, owner, target, tell)
        _show_failed_maintenance(owner, tell)
        mails.next(lambda mail: "CRITICAL" in mail["Subject"] and BROKEN in mail["Subject"], _MAIL_SECONDS)

        tell.step("The repair: the mail's own next command, then maintenance")
        _repair(owner, tell)
        if not fast:
            tell.line("this pg_cron runs jobs once a minute; the monitor is called by hand rather than waited for")
            lambda_arn, topic_arn = target.lambda_arn, target.topic_arn
            owner.execute(psycopg.sql.SQL("call partwarden.monitor({}, {})").format(lambda_arn, topic_arn))
        mails.next(lambda mail: "RESOLVED" in mail["Subject"], _RESOLVED_SECONDS)
        left = _one(owner, "select count(*) from partwarden.incident where resolved_at is null")
        if left:
            raise DemoFailed(f"{left} incidents are still open after the repair", remedy="partwarden local psql")
        schedule(stack.owner_dsn, lambda_arn=target.lambda_arn, topic_arn=target.topic_arn, cluster="demo")


class _Mails:
    """What arrives in the mailbox from now on, each mail shown once, in order."""

    def __init__(self, stack: Stack, tell: Narrator) -> None:
        self._folder = stack.mail_folder
        self._tell = tell
        self._seen = len(read_mails(self._folder))

    def next(self, wanted: Callable[[EmailMessage], bool], seconds: float) -> None:
        """Show mails as they arrive, until the wanted one has. Raises DemoFailed when it does not in time."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for mail in read_mails(self._folder)[self._seen :]:
                self._seen += 1
                self._tell.mail(mail)
                if wanted(mail):
                    return
            time.sleep(0.1)
        raise DemoFailed(f"the mail did not arrive within {seconds:g} s", remedy="partwarden local status")


def _clear(stack: Stack, owner: Connection) -> None:
    """Remove what an earlier demo has left in the database."""
    unschedule(stack.owner_dsn)
    _wait(
        lambda: _one(owner, "select count(*) from cron.job_run_details where status in ('starting', 'running')") == 0,
        30,
        "an earlier job did not come to its end",
    )
    uninstall(owner)
    owner.execute(f"drop schema if exists {SCHEMA} cascade")
    partman = inspect(owner).extensions["pg_partman"].schema
    for table, column in (("part_config_sub", "sub_parent"), ("part_config", "parent_table")):
        owner.execute(
            psycopg.sql.SQL("delete from {} where {} like %s").format(
                psycopg.sql.Identifier(partman, table), psycopg.sql.Identifier(column)
            ),
            (SCHEMA.replace("_", r"\_") + ".%",),
        )
        templates = owner.execute(
            "select format('%%I.%%I', nspname, relname) from pg_class join pg_namespace on relnamespace = pg_namespace.oid "
            "where nspname = %s and relname like %s and relkind = 'r'",
            (partman, "template\\_" + SCHEMA.replace("_", r"\_") + r"\_%"),
        ).fetchall()
        for (template,) in templates:
            owner.execute(psycopg.sql.SQL("drop table {}").format(psycopg.sql.SQL(template)))


def _break(owner: Connection) -> str:
    row = owner.execute(
        f"""
        insert into {BROKEN} (operation, value, event_type, org_id, created_at)
        select 'C', 42, 'clock of a device', 1, max((regexp_match(pg_get_expr(relpartbound, oid), $$TO \\('(.+)'\\)$$))[1]
               ::timestamptz) + interval '3 hours'
        from pg_class join pg_inherits on inhrelid = oid where inhparent = %s::regclass
        returning created_at, tableoid::regclass::text
        """,
        (BROKEN,),
    ).fetchone()
    assert row is not None
    return f"a row of {row[0]:%Y-%m-%d %H:%M} went into {row[1]}"


def _schedule(stack: Stack, owner: Connection, target: AlertTarget, tell: Narrator) -> bool:
    """Schedule both jobs as often as this pg_cron can; returns whether that is more than once a minute."""
    fast = runs_every_seconds(inspect(owner))
    report = schedule(
        stack.owner_dsn,
        lambda_arn=target.lambda_arn,
        topic_arn=target.topic_arn,
        maintenance="5 seconds" if fast else EVERY_MINUTE,
        cluster="demo",
    )
    for job in report.jobs:
        tell.line(f"{job.name:<28} {job.schedule}")
    return fast


def _show_failed_maintenance(owner: Connection, tell: Narrator) -> None:
    before = _one(owner, "select max(id) from partwarden.maintenance")
    _wait(
        lambda: _one(
            owner, "select count(*) from partwarden.maintenance where id > %s and finished_at is not null", before
        ),
        _MAIL_SECONDS,
        "pg_cron did not run the maintenance",
    )
    runs = owner.execute(
        "select run.parent_table, run.outcome, run.partitions_made, run.message from partwarden.maintenance_run run "
        "where run.maintenance_id = (select min(id) from partwarden.maintenance where id > %s) "
        "and run.parent_table !~ '_p[0-9_]+$' order by run.outcome, run.id",
        (before,),
    ).fetchall()
    for parent, outcome, made, message in runs:
        made_text = "1 partition made" if made == 1 else f"{made} partitions made"
        tell.line(f"{parent:<32} {made_text if outcome == 'succeeded' else f'FAILED: {message}'}")
    outcomes = {parent: outcome for parent, outcome, _, _ in runs}
    if outcomes.pop(BROKEN, None) != "failed" or len(outcomes) != 6 or set(outcomes.values()) != {"succeeded"}:
        raise DemoFailed(
            "one set should have failed and six should have been maintained", remedy="partwarden local psql"
        )
    _wait(
        lambda: _one(
            owner, "select count(*) from cron.job_run_details where command like '%%maintain%%' and status = 'failed'"
        ),
        10,
        "pg_cron did not record the failure",
    )
    tell.line("pg_cron has the run as failed: partwarden.maintain() ends with an error when a set did")


def _repair(owner: Connection, tell: Narrator) -> None:
    statement = f"call partwarden.drain('{BROKEN}')"
    tell.line(statement + ";")
    owner.execute(statement)
    _maintain_when_free(owner)
    tell.line("call partwarden.maintain();")
    left = _one(owner, f"select count(*) from {BROKEN}_default")
    where = owner.execute(
        f"select tableoid::regclass::text from {BROKEN} where event_type = 'clock of a device'"
    ).fetchone()
    if left or where is None:
        raise DemoFailed("the row did not move", remedy="partwarden local psql")
    tell.line(f"the default partition is empty; the row is in {where[0]}")


def _maintain_when_free(owner: Connection) -> None:
    """The scheduled maintenance may be at work just now, and two at once are refused."""
    deadline = time.monotonic() + 20
    while True:
        try:
            owner.execute("call partwarden.maintain()")
        except psycopg.errors.ObjectInUse:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


def _wait(condition: Callable[[], object], seconds: float, otherwise: str) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise DemoFailed(otherwise, remedy="partwarden local status")
        time.sleep(0.1)


def _one(connection: Connection, query: str, *arguments: object) -> int:
    row = connection.execute(query, arguments or None).fetchone()
    assert row is not None
    return int(row[0] or 0)
