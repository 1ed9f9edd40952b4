"""Real databases in known states, as the page has to show them: well, broken, repaired, empty, away, with hostile names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from partwarden import incidents
from partwarden.database import Connection
from partwarden.draining import Drain, drain
from partwarden.health import Target
from partwarden.install import install
from partwarden.local.cluster import free_port
from partwarden.local.lambda_recorder import LambdaRecorder
from tests.partition_sets import create_parent, create_sub_parent, put_row_in_the_way, switch_repair_off
from tests.servers import OWNER, Database, Server

READER = "dba"
"""Who looks: a role that may read everything, and write nothing."""
SECRET = "correct-horse-battery"
"""Stands in the connection string of a database that is out of reach."""
SCRIPT = "<script>alert(1)</script>"
HOSTILE_NAME = f'{SCRIPT} & "quoted"'
"""What the file calls a database."""
HOSTILE_TABLES = (
    SCRIPT,
    '"><img src=x onerror=alert(2)>',
    'a "b"',
    "ü" * 31 + "x",
    "😀 😀",
    "جدول البيانات",
    "{{ 7 * 7 }} %s %(x)s",
)
"""Sets in the schema ``evil``; the fourth has a name of 63 bytes, the longest there is."""
TURNED = "abc\u202egnp.exe"
"""A job whose name turns the direction of what follows it."""
_FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:partwarden-alert"
_TOPIC = "arn:aws:sns:us-east-1:123456789012:notifydba"


@dataclass(frozen=True)
class JobRun:
    """A run that pg_cron has on record: so long ago, and how it went."""

    jobid: int
    ago: timedelta
    took: timedelta = timedelta(seconds=1.4)
    failure: str | None = None


@dataclass
class States:
    """The databases of a server, by the names that the file has for them."""

    server: Server
    recorder: LambdaRecorder
    targets: dict[str, Target] = field(default_factory=dict)
    databases: dict[str, Database] = field(default_factory=dict)
    runs: list[JobRun] = field(default_factory=list)

    def add(self, name: str, in_database: str | None = None, *, with_partman: bool = True) -> Database:
        """A new database, which the file knows by that name."""
        database = self.server.new_database(in_database or name)
        if not with_partman:
            with database.connect() as admin:
                admin.execute("drop extension pg_partman cascade; drop schema partman cascade")
        database.point_to_lambda(self.recorder.endpoint_for(database.name))
        self.databases[name] = database
        self.targets[name] = Target(self.server.cluster.dsn(database.name, READER), name)
        return database

    def job(self, database: Database, name: str, schedule: str, command: str) -> int:
        """A job of the owner's in that database."""
        with psycopg.connect(self.server.cluster.dsn(), autocommit=True) as cron:
            row = cron.execute(
                "select cron.schedule_in_database(%s, %s, %s, %s, %s, true)",
                (name, schedule, command, database.name, OWNER),
            ).fetchone()
        assert row is not None
        return int(row[0])

    def record_runs(self) -> None:
        """Put all runs on pg_cron's record, in the order in which they were."""
        with psycopg.connect(self.server.cluster.dsn(), autocommit=True) as cron, cron.cursor() as cursor:
            cursor.executemany(
                """
                insert into cron.job_run_details
                    (jobid, runid, job_pid, database, username, command, status, return_message, start_time, end_time)
                select jobid, nextval('cron.runid_seq'), 1, database, username, command, %s, %s, now() - %s::interval,
                    now() - %s::interval + %s::interval
                from cron.job where jobid = %s
                """,
                [
                    (
                        "failed" if run.failure else "succeeded",
                        run.failure or "CALL",
                        run.ago,
                        run.ago,
                        run.took,
                        run.jobid,
                    )
                    for run in sorted(self.runs, key=lambda run: -run.ago)
                ],
            )
        self.runs.clear()


def schedule_of_the_half_hour() -> tuple[str, timedelta]:
    """An hourly schedule that is not due for half an hour, and how long ago it last was."""
    then = datetime.now(UTC) + timedelta(minutes=30)
    last = (then - timedelta(hours=1)).replace(second=0, microsecond=0)
    return f"{then.minute} * * * *", datetime.now(UTC) - last


def a_set(
    owner: Connection, parent: str, interval: str, *, past: str, premake: int, retention: str | None = None
) -> None:
    """A partition set that began so long ago, maintained up to this moment."""
    owner.execute(
        sql.SQL(
            "create table {} (id bigint not null, created_at timestamptz not null, payload text) "
            "partition by range (created_at)"
        ).format(sql.Identifier(*parent.split(".", 1)))
    )
    row = owner.execute("select (date_trunc('hour', now()) - %s::interval)::text", (past,)).fetchone()
    assert row is not None
    create_parent(owner, parent, interval, p_premake=premake, p_start_partition=row[0])
    owner.execute(
        "update partman.part_config set infinite_time_partitions = true, retention = %s, retention_keep_table = false "
        "where parent_table = %s",
        (retention, parent),
    )
    owner.execute("select partman.run_maintenance(%s)", (parent,))


def fill(owner: Connection, parent: str, *, per: str, past: str, rows: int) -> None:
    """Rows for every ``per`` since ``past`` ago up to now: more and more of them, fewer at weekends and at night."""
    owner.execute(
        sql.SQL(
            """
            insert into {} (id, created_at, payload)
            select n, slot + n * (%(per)s::interval / (many + 1)), repeat(chr(97 + n %% 26), 220)
            from (
                select slot, (%(rows)s * (0.5 + 0.5 * number / count(*) over ())
                    * case when extract(isodow from slot) > 5 then 0.45 else 1 end
                    * case when %(per)s::interval < '1 day' and extract(hour from slot) < 6 then 0.3 else 1 end
                    * (0.85 + abs(hashtext(slot::text)) %% 100 / 330.0))::integer as many
                from generate_series(
                    date_trunc('hour', now()) - %(past)s::interval, now(), %(per)s::interval
                ) with ordinality as series (slot, number)
            ) slots, lateral generate_series(1, many) n
            where slot + n * (%(per)s::interval / (many + 1)) <= now()
            """
        ).format(sql.Identifier(*parent.split(".", 1))),
        {"per": per, "past": past, "rows": rows},
    )


def cut(owner: Connection, parent: str, where: str) -> None:
    """Drop the partitions whose lower bound is such: ``lower`` is a timestamptz."""
    rows = owner.execute(
        f"""
        select name from (
            select inhrelid::regclass::text as name,
                   (regexp_match(pg_get_expr(relpartbound, oid), 'FROM \\(''(.+?)''\\)'))[1]::timestamptz as lower
            from pg_inherits join pg_class on oid = inhrelid where inhparent = '{parent}'::regclass
        ) listed where {where}
        """.encode()
    ).fetchall()
    assert rows
    for (name,) in rows:
        owner.execute(f"drop table {name}".encode())


def _seen_a_day_ago(owner: Connection, parent: str, ahead: str) -> None:
    """As if the monitor had seen a day ago that the set reached that far ahead of then."""
    owner.execute(
        "insert into partwarden.reach values (%s, now() - interval '1 day', now() - interval '1 day' + %s::interval)",
        (parent, ahead),
    )


def _vacuum(owner: Connection, tables: str) -> None:
    """Have the statistics know the tables as they are; those that a session has not told of yet would come on top."""
    owner.execute("select pg_stat_force_next_flush()")
    owner.execute(f"vacuum analyze {tables}".encode())


def _monitor(owner: Connection) -> None:
    owner.execute("call partwarden.monitor(%s, %s)", (_FUNCTION, _TOPIC))


def healthy(states: States) -> None:
    """Nothing is wrong: sets by hour, day, month and id."""
    database = states.add("shop")
    with database.connect_owner() as owner:
        install(owner, cluster="prod-eu", readers=(READER,))
        owner.execute("create schema shop")
        a_set(owner, "shop.orders", "1 day", past="40 days", premake=14, retention="45 days")
        fill(owner, "shop.orders", per="1 day", past="40 days", rows=180)
        a_set(owner, "shop.page_view", "1 hour", past="36 hours", premake=24, retention="2 days")
        fill(owner, "shop.page_view", per="1 hour", past="36 hours", rows=120)
        a_set(owner, "shop.invoice", "1 month", past="14 months", premake=4)
        fill(owner, "shop.invoice", per="1 month", past="14 months", rows=220)
        owner.execute(
            "create table shop.ticket (id bigint not null, opened_at timestamptz not null default now(), payload text)"
            " partition by range (id)"
        )
        create_parent(owner, "shop.ticket", "100000", p_premake=6, p_control="id")
        owner.execute("insert into shop.ticket select n * 500, now(), repeat('x', 40) from generate_series(1, 4000) n")
        for _ in range(7):
            owner.execute("select partman.run_maintenance('shop.ticket')")
        owner.execute(
            "insert into partwarden.id_usage"
            " select 'shop.ticket', now() - n * interval '1 hour', 2000000 - n * 900 from generate_series(1, 167) n"
        )
        owner.execute(
            "insert into partwarden.reach select 'shop.orders', seen, date_trunc('day', seen) + interval '15 days'"
            " from generate_series(now() - interval '191 hours', now() - interval '1 hour', '1 hour') seen"
        )
        _seen_a_day_ago(owner, "shop.page_view", "24 hours 20 minutes")
        _vacuum(owner, "shop.orders, shop.page_view, shop.invoice, shop.ticket")
        owner.execute("call partwarden.maintain()")
        _monitor(owner)
    hourly, last = schedule_of_the_half_hour()
    maintenance = states.job(database, "shop: partition maintenance", hourly, "call partwarden.maintain()")
    states.runs += [
        JobRun(maintenance, last + timedelta(hours=n), timedelta(seconds=1.2 + n % 5 / 9)) for n in range(24)
    ]


def broken(states: States) -> None:
    """Rows in the way, a gap, a set that has run out, failed maintenance, and nobody who could be told of it."""
    database = states.add("billing")
    database.point_to_lambda(f"http://127.0.0.1:{free_port()}")
    with database.connect_owner() as owner:
        install(owner, cluster="prod-eu", readers=(READER,))
        owner.execute("create schema billing")
        a_set(owner, "billing.ledger", "1 day", past="20 days", premake=3, retention="14 days")
        fill(owner, "billing.ledger", per="1 day", past="20 days", rows=150)
        put_row_in_the_way(owner, "billing.ledger")
        owner.execute("update partman.part_config set premake = 9 where parent_table = 'billing.ledger'")
        _seen_a_day_ago(owner, "billing.ledger", "8 days 9 hours")
        a_set(owner, "billing.payment", "1 day", past="20 days", premake=10)
        fill(owner, "billing.payment", per="1 day", past="20 days", rows=90)
        cut(owner, "billing.payment", "lower in (date_trunc('day', now()) - interval '6 days', "
            "date_trunc('day', now()) + interval '3 days')")  # fmt: skip
        a_set(owner, "billing.event", "1 hour", past="2 days", premake=6)
        owner.execute(
            "update partman.part_config set automatic_maintenance = 'off' where parent_table = 'billing.event'"
        )
        cut(owner, "billing.event", "lower >= date_trunc('hour', now()) - interval '5 hours'")
        fill(owner, "billing.event", per="1 hour", past="2 days", rows=40)
        a_set(owner, "billing.audit", "1 month", past="8 months", premake=4)
        fill(owner, "billing.audit", per="1 month", past="8 months", rows=120)
        _vacuum(owner, "billing.ledger, billing.payment, billing.event, billing.audit")
        switch_repair_off(owner)
        with suppress(psycopg.errors.DataException):
            owner.execute("call partwarden.maintain()")
        with suppress(psycopg.errors.ExternalRoutineInvocationException):
            _monitor(owner)
        owner.execute(
            "update partwarden.incident set since = since - id * interval '23 minutes',"
            " opened_at = opened_at - id * interval '23 minutes'"
        )
        taken, quiet = _incident(owner, "gap"), _incident(owner, "maintenance-disabled")
        incidents.acknowledge(owner, taken, note="the partition of the 24th is being brought back from the dump")
        incidents.silence(owner, quiet, "2 days")
    hourly, last = schedule_of_the_half_hour()
    maintenance = states.job(database, "billing: partition maintenance", hourly, "call partwarden.maintain()")
    failure = "ERROR:  could not maintain 1 of 3 partition sets: billing.ledger"
    states.runs += [
        JobRun(maintenance, last + timedelta(hours=n), failure=failure if n < 3 else None)
        for n in range(24)
        if n not in (8, 9)
    ]
    slow = states.job(database, "billing: purge of runs", hourly, "call partwarden.purge_job_runs('3 days')")
    states.runs += [
        JobRun(slow, last + timedelta(hours=n), timedelta(minutes=4) if n == 6 else timedelta(seconds=2))
        for n in range(24)
    ]


def _incident(owner: Connection, check: str) -> int:
    row = owner.execute("select min(id) from partwarden.incident where check_id = %s", (check,)).fetchone()
    assert row is not None
    return int(row[0])


def repaired(states: States) -> None:
    """Rows lay in a default partition, somebody was told, they were drained, and somebody was told again."""
    database = states.add("archive")
    with database.connect_owner() as owner:
        install(owner, cluster="prod-eu", readers=(READER,))
        owner.execute("create schema archive")
        a_set(owner, "archive.letter", "1 day", past="12 days", premake=6)
        fill(owner, "archive.letter", per="1 day", past="12 days", rows=60)
        for days in (20, 19, 18):
            owner.execute("insert into archive.letter values (1, now() - %s * interval '1 day')", (days,))
        _monitor(owner)
        drain(database.owner_dsn, Drain("archive.letter"))
        owner.execute("call partwarden.maintain()")
        _monitor(owner)
        _vacuum(owner, "archive.letter")


def warned(states: States) -> None:
    """Rows of long ago lie in a default partition, in nobody's way; somebody was told."""
    database = states.add("crm")
    with database.connect_owner() as owner:
        install(owner, cluster="prod-eu", readers=(READER,))
        owner.execute("create schema crm")
        a_set(owner, "crm.touch", "1 month", past="10 months", premake=4)
        fill(owner, "crm.touch", per="1 month", past="10 months", rows=60)
        owner.execute("insert into crm.touch select n, now() - interval '3 years' from generate_series(1, 37) n")
        owner.execute("call partwarden.maintain()")
        _monitor(owner)
        _vacuum(owner, "crm.touch")


def nested(states: States) -> None:
    """A set of sets: by month, and each of them by day."""
    database = states.add("telemetry")
    with database.connect_owner() as owner:
        install(owner, cluster="prod-eu", readers=(READER,))
        owner.execute("create schema telemetry")
        owner.execute(
            "create table telemetry.reading (id bigint not null, created_at timestamptz not null, payload text)"
            " partition by range (created_at)"
        )
        create_parent(owner, "telemetry.reading", "1 month", p_premake=1)
        create_sub_parent(owner, "telemetry.reading", "created_at", "1 day", p_premake=8)
        fill(owner, "telemetry.reading", per="1 day", past="2 days", rows=50)
        owner.execute("call partwarden.maintain()")


def empty(states: States) -> None:
    """Nothing partitioned; neither pg_partman nor partwarden; partitions without partwarden; and a server that is away."""
    with states.add("fresh").connect_owner() as owner:
        install(owner, cluster="prod-eu", readers=(READER,))
    states.add("plain", with_partman=False)
    with states.add("bare").connect_owner() as owner:
        owner.execute("create schema bare")
        a_set(owner, "bare.visit", "1 day", past="4 days", premake=5)
    states.targets["legacy"] = Target(
        make_conninfo(host="127.0.0.1", port=free_port(), dbname="legacy", user="dba", password=SECRET), "legacy"
    )


def hostile(states: States) -> None:
    """Every text that a page shows tries to be something else."""
    database = states.add(HOSTILE_NAME, "hostile")
    with database.connect_owner() as owner:
        install(owner, cluster=SCRIPT, readers=(READER,))
        owner.execute("create schema evil")
        for number, table in enumerate(HOSTILE_TABLES):
            parent = sql.Identifier("evil", table)
            owner.execute(
                sql.SQL("create table {} (created_at timestamptz not null) partition by range (created_at)").format(
                    parent
                )
            )
            for days in range(-3, 2):
                owner.execute(
                    sql.SQL("create table {} partition of {} for values from ({}) to ({})").format(
                        sql.Identifier("evil", f"<b>{number}</b> {days}"),
                        parent,
                        *(
                            sql.Literal(f"{datetime.now(UTC) + timedelta(days=day):%Y-%m-%d}+00")
                            for day in (days, days + 1)
                        ),
                    )
                )
            owner.execute(
                sql.SQL("create table {} partition of {} default").format(
                    sql.Identifier("evil", f"default <i>{number}</i>"), parent
                )
            )
            owner.execute(sql.SQL("insert into {} values (now() - interval '1 year')").format(parent))
        create = sql.SQL(
            "create table evil.{} (id bigint, created_at timestamptz not null) partition by range (created_at)"
        )
        owner.execute(create.format(sql.Identifier("Weird ü")))
        create_parent(owner, "evil.Weird ü", "1 day", p_premake=4)
        put_row_in_the_way(owner, "evil.Weird ü")
        switch_repair_off(owner)
        with suppress(psycopg.errors.DataException):
            owner.execute("call partwarden.maintain()")
        _monitor(owner)
        incidents.acknowledge(owner, _incident(owner, "default-not-empty"), note=f"{SCRIPT}\n</textarea>'\"")
        owner.execute("update partwarden.maintenance_run set message = %s where outcome = 'failed'", (f"no {SCRIPT}",))
        owner.execute(
            "update partwarden.notification set delivered_at = null, last_error = %s, attempts = 2",
            (f"no {SCRIPT} password={SECRET}",),
        )
    hourly, last = schedule_of_the_half_hour()
    for name in (SCRIPT, TURNED):
        job = states.job(database, name, hourly, f"call partman.run_maintenance_proc() /* {SCRIPT} */")
        states.runs += [
            JobRun(job, last + timedelta(hours=n), failure=f"ERROR: {SCRIPT}" if n == 0 else None) for n in range(5)
        ]


def changing(states: States, name: str = "live") -> None:
    """A healthy set, live.note, in a database that tests change, and a job that has run."""
    database = states.add(name)
    with database.connect_owner() as owner:
        install(owner, cluster="prod-eu", readers=(READER,))
        owner.execute("create schema live")
        a_set(owner, "live.note", "1 day", past="20 days", premake=6)
        owner.execute("call partwarden.maintain()")
    hourly, last = schedule_of_the_half_hour()
    job = states.job(database, f"{name}: maintenance", hourly, "call partwarden.maintain()")
    states.runs += [JobRun(job, last + timedelta(hours=n)) for n in range(3)]
    states.record_runs()


ALL: tuple[Callable[[States], None], ...] = (healthy, broken, warned, repaired, nested, empty, hostile)


@contextmanager
def made(server: Server, states: tuple[Callable[[States], None], ...] = ALL) -> Iterator[States]:
    """The databases in those states, for as long as the block lasts."""
    recorder = LambdaRecorder()
    recorder.start()
    try:
        server.write_aws_credentials("test", "test")
        server.cluster.add_role(READER)
        with psycopg.connect(server.cluster.dsn(), autocommit=True) as admin:
            admin.execute(f"grant pg_monitor, pg_read_all_data to {READER}")
            admin.execute(f"alter role {READER} bypassrls")
        listed = States(server, recorder)
        for make in states:
            make(listed)
        listed.record_runs()
        yield listed
    finally:
        recorder.stop()
