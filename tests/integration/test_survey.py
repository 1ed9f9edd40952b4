"""One look at a database, as pages and gauges have it, on every version; with and without partwarden there."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from partwarden import bundle, health
from partwarden.database import Connection
from partwarden.findings import Status
from partwarden.health import Question, check_database
from partwarden.incidents import list_incidents
from partwarden.install import install
from partwarden.status import look
from partwarden.survey import Survey, survey
from partwarden.web.drawing.timeline import draw
from partwarden.web.reading import sets
from partwarden.web.reading.fleet import tightest
from partwarden.web.reading.sets import read_set
from tests.partition_sets import (
    create_parent,
    create_sub_parent,
    daily_set,
    made_ahead,
    partitions,
    put_row_in_the_way,
    switch_repair_off,
    want_one_more_partition,
)
from tests.pooler import pooler
from tests.servers import Database
from tests.waiting import wait_until

READER = "page_reader"


@pytest.fixture
def owner(database: Database) -> Iterator[Connection]:
    with database.connect_owner() as connection:
        connection.execute("create schema app")
        yield connection


def seen(database: Database) -> Survey:
    found = survey(database.owner_dsn, name="here")
    assert found.report.error is None
    return found


def test_it_holds_what_check_and_status_find(database: Database, owner: Connection) -> None:
    daily_set(owner, "app.well")
    daily_set(owner, "app.gap")
    owner.execute(sql.SQL("drop table app.{}").format(sql.Identifier(partitions(owner, "app.gap")[7])))
    found = seen(database)
    assert found.report.status is Status.CRITICAL
    assert [(each.check, each.object) for each in found.report.findings if each.check == "gap"] == [("gap", "app.gap")]
    alone = look(database.owner_dsn)
    assert [(each.name, each.severity, each.ahead) for each in found.sets] == [
        (each.name, each.severity, each.ahead) for each in alone
    ]
    assert found.unrecorded == "partwarden is not installed in this database"
    assert len(found.sets[1].spans) == found.sets[1].partitions


def test_it_is_only_read_and_takes_one_connection(database: Database, owner: Connection) -> None:
    daily_set(owner, "app.well")
    with database.connect() as watcher:
        before = watcher.execute("select sessions from pg_stat_database where datname = current_database()").fetchone()
        survey(database.owner_dsn)
        watcher.execute("select pg_stat_clear_snapshot()")
        after = watcher.execute("select sessions from pg_stat_database where datname = current_database()").fetchone()
    assert before is not None
    assert after is not None
    # And one for pg_cron, which lives in another database on these servers, unless it is this one.
    assert after[0] - before[0] <= 1


def test_a_database_that_can_not_be_asked_says_why(database: Database) -> None:
    found = survey("host=127.0.0.1 port=1 dbname=gone password=secret", name="gone")
    assert found.report.status is Status.UNKNOWN
    assert found.report.error is not None
    assert "secret" not in found.report.error
    assert found.unseen is not None
    assert "port 1 failed" in found.unseen
    assert "dbname=" not in found.unseen  # a page does not tell how one connects
    late = survey(database.owner_dsn, Question(timeout=0.001))
    assert late.report.status is Status.UNKNOWN


@pytest.mark.one_server
def test_a_server_that_falls_silent_amid_a_look_is_given_up(database: Database, owner: Connection) -> None:
    with pooler(database.owner_dsn, "pg_extension") as silent:
        assert survey(silent.dsn, Question(timeout=1)).report.error is None
        silent.frozen.set()
        started = time.monotonic()
        found = survey(silent.dsn, Question(timeout=1))
        assert found.report.error == found.unseen == "no answer within 1 s"
        assert check_database(silent.dsn, Question(timeout=1)).error == "no answer within 1 s"
        assert time.monotonic() - started < 10
        wait_until(lambda: silent.sessions == 0, "nobody waits any more")


@pytest.mark.one_server
def test_a_lock_that_every_check_wants_is_waited_for_once(database: Database, owner: Connection) -> None:
    daily_set(owner, "app.well")
    with psycopg.connect(database.dsn) as other:
        other.execute("lock table partman.part_config in access exclusive mode")
        started = time.monotonic()
        report = survey(database.owner_dsn).report
        assert time.monotonic() - started < 8  # a second for each of them makes 20
    assert report.error is None
    failed = [finding for finding in report.findings if finding.check == "check-error"]
    assert len(failed) > 15
    assert {finding.detail["cause"] for finding in failed} == {"canceling statement due to lock timeout"}


@pytest.mark.one_server
def test_a_session_that_is_ended_amid_a_look_is_no_fault_of_the_checks(
    database: Database, owner: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end_it(connection: Connection, statement: str) -> list[tuple[object, ...]]:
        return connection.execute("select pg_terminate_backend(pg_backend_pid())").fetchall()

    monkeypatch.setattr(health, "rows_of", end_it)
    assert survey(database.dsn).unseen == "terminating connection due to administrator command"


def test_what_partwarden_keeps_comes_along(database: Database, owner: Connection) -> None:
    install(owner, cluster="here")
    daily_set(owner, "app.broken")
    daily_set(owner, "app.well")
    owner.execute("call partwarden.maintain()")
    switch_repair_off(owner)
    put_row_in_the_way(owner, "app.broken")
    want_one_more_partition(owner)
    with pytest.raises(Exception, match="1 of 2 partition sets"):
        owner.execute("call partwarden.maintain()")
    owner.execute("call partwarden.monitor()")
    record = seen(database).record
    assert record is not None
    assert record.cluster == "here"
    assert record.open["critical"] >= 1
    assert record.pending == 1
    assert record.pending_since is not None
    assert record.delivered_at is None
    assert record.maintenance is not None
    assert (record.maintenance.outcome, record.maintenance.sets, record.maintenance.sets_failed) == ("failed", 2, 1)
    assert record.maintained_at is not None
    assert record.maintained_at < record.maintenance.started_at
    assert record.monitor_at is not None
    assert record.reach == {}  # noted just now; it is told how far they reached a day ago


def test_how_far_sets_reach_is_noted_once_an_hour_and_kept_for_eight_days(
    database: Database, owner: Connection
) -> None:
    install(owner)
    daily_set(owner, "app.well")
    owner.execute(
        "insert into partwarden.reach select 'app.well', now() - n * interval '1 hour', now() from generate_series(2, 300) n"
    )
    for _ in range(2):
        owner.execute("call partwarden.monitor()")
    rows = owner.execute("select count(*), min(seen_at) > now() - interval '8 days' from partwarden.reach").fetchone()
    assert rows == (1 + 8 * 24 - 2, True)
    record = seen(database).record
    assert record is not None
    seen_at, _ = record.reach["app.well"]
    # The newest of those that are old enough for a trend.
    assert record.monitor_at is not None
    assert timedelta(hours=12) <= record.monitor_at - seen_at <= timedelta(hours=13)


@pytest.fixture
def reader_dsn(database: Database) -> Iterator[str]:
    """A role that may connect and nothing else."""
    cluster = database.server.cluster
    cluster.add_role(READER)
    yield cluster.dsn(database.name, READER)
    for dsn in (database.dsn, cluster.dsn()):
        with psycopg.connect(dsn, autocommit=True) as superuser:
            superuser.execute(f"drop owned by {READER}")
    with psycopg.connect(cluster.dsn(), autocommit=True) as superuser:
        superuser.execute(f"drop role {READER}")


def test_a_reader_sees_it_too_and_can_change_nothing(database: Database, owner: Connection, reader_dsn: str) -> None:
    daily_set(owner, "app.well")
    install(owner)
    owner.execute("call partwarden.monitor()")
    assert f"partwarden install --reader {READER}" in (survey(reader_dsn).unrecorded or "")
    install(owner, readers=[READER])
    found = survey(reader_dsn)
    assert found.record is not None
    assert found.unrecorded is None
    with psycopg.connect(reader_dsn, autocommit=True) as reader:
        assert list_incidents(reader, resolved_too=True) == []
        for statement in (
            "delete from partwarden.incident",
            "update partwarden.setting set heartbeat = false",
            "select partwarden.acknowledge(1)",
            "call partwarden.monitor()",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                reader.execute(statement)


def test_a_set_in_full_has_its_partitions_runs_repairs_and_configuration(database: Database, owner: Connection) -> None:
    install(owner)
    daily_set(owner, "app.events")
    owner.execute("insert into app.events select n, now() - n * interval '1 hour' from generate_series(1, 100) n")
    owner.execute("insert into app.events values (1, now() + %s * interval '1 day')", (made_ahead(5) + 1,))
    owner.execute("analyze app.events")
    want_one_more_partition(owner)
    owner.execute("call partwarden.maintain()")
    found = read_set(database.owner_dsn, "app.events", seen(database))
    assert found is not None
    assert found.status is not None
    assert len(found.partitions) == found.status.partitions + 1
    assert found.partitions[-1].is_default
    assert sum(each.rows or 0 for each in found.partitions) >= 100
    assert all(each.analyzed_at is not None for each in found.partitions[:3])
    assert {each.phase for each in found.runs} >= {"create"}
    assert all(each.outcome == "succeeded" for each in found.runs)
    assert [each.rows_moved for each in found.repairs] == [1]
    assert [each.moved for each in found.runs if each.phase == "repair"] == [1]
    settings = {each.name: each.value for each in found.settings}
    assert settings["premake"] == "6"
    assert settings["infinite_time_partitions"] == "yes"
    assert not any(each.differs for each in found.settings)


def test_sub_sets_are_found_from_above_and_by_themselves(database: Database, owner: Connection) -> None:
    owner.execute(
        "create table app.top (id bigint not null, created_at timestamptz not null) partition by range (created_at)"
    )
    create_parent(owner, "app.top", "1 day", p_premake=2)
    create_sub_parent(owner, "app.top", "created_at", "6 hours", p_premake=4)
    newest = seen(database)
    top = read_set(database.owner_dsn, "app.top", newest)
    assert top is not None
    assert len(top.sub_sets) == len([each for each in top.partitions if each.is_set])
    today = next(each for each in top.sub_sets if not each.is_over and each.limits is not None and each.position is not None
                 and each.limits[0] <= each.position)  # fmt: skip
    alone = read_set(database.owner_dsn, today.name, newest)
    assert alone is not None
    assert alone.above == "app.top"
    assert alone.status is not None
    assert alone.status.name == today.name
    picture = draw(alone.status)
    assert picture is not None
    assert picture.now is not None
    assert max(block.x + block.width for block in picture.blocks) > 0
    over = [draw(each) for each in top.sub_sets if each.is_over]
    assert not [block for picture in over if picture for block in picture.blocks if block.kind == "gap"]


def test_there_is_no_set_of_a_name_that_no_table_has(database: Database, owner: Connection) -> None:
    daily_set(owner, "app.events")
    newest = seen(database)
    oid = owner.execute("select 'app.events'::regclass::oid::text").fetchone()
    assert oid is not None
    names = (
        "app.nix",
        "nix",
        "",
        'app."',
        "a.b.c",
        "a.b.c.d",
        "'; drop table x; --",
        "16384",
        *oid,
        "events",
        "app.events.id",
    )
    for name in (*names, "app.events_pkey", "app.events\0", "app.\ud800"):
        assert read_set(database.owner_dsn, name, newest) is None, name
    assert read_set(make_conninfo(database.owner_dsn, client_encoding="LATIN1"), "app.☃", newest) is None


def test_a_set_is_found_by_a_role_that_may_not_use_its_schema(
    database: Database, owner: Connection, reader_dsn: str
) -> None:
    daily_set(owner, "app.events")
    full = read_set(database.owner_dsn, "app.events", seen(database))
    found = read_set(reader_dsn, "app.events", survey(reader_dsn))
    assert full is not None
    assert found is not None
    assert [each.name for each in found.partitions] == [each.name for each in full.partitions]
    assert full.settings
    assert not found.settings  # it may not read them either


def test_a_set_is_shown_under_its_own_name_in_the_zone_of_the_page(database: Database, owner: Connection) -> None:
    daily_set(owner, "app.events")
    owner.execute("update partman.part_config set constraint_cols = '{id}'")
    with database.connect() as administrator:
        administrator.execute(
            sql.SQL("alter database {} set timezone = 'Asia/Kathmandu'").format(sql.Identifier(database.name))
        )
    full = read_set(database.owner_dsn, " App . EVENTS ", seen(database))
    assert full is not None
    assert full.name == "app.events"
    assert full.status is not None
    assert full.has_moments
    assert all(re.search(r"FROM \('[-\d]+ 00:00:00\+00'\)", each.bound) for each in full.partitions[:-1])
    assert {each.name: each.value for each in full.settings}["constraint_cols"] == '["id"]'


def test_a_locked_partition_is_left_out_of_the_sizes(
    database: Database, owner: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sets, "_SECONDS", 5)
    daily_set(owner, "app.events")
    owner.execute("insert into app.events values (1, now())")
    newest = seen(database)
    with database.connect_owner() as other, other.transaction():
        name = partitions(owner, "app.events")[5]
        other.execute(sql.SQL("lock table app.{} in access exclusive mode").format(sql.Identifier(name)))
        found = read_set(database.owner_dsn, "app.events", newest)
    assert found is not None
    assert [each.bytes for each in found.partitions if each.name.endswith(name)] == [None]


def test_what_a_role_has_set_for_people_does_not_change_what_is_read(database: Database, owner: Connection) -> None:
    install(owner)
    daily_set(owner, "app.events")
    put_row_in_the_way(owner, "app.events")
    owner.execute("vacuum app.events")
    owner.execute("call partwarden.monitor()")
    with database.connect() as administrator:
        for name, value in (("datestyle", "SQL, DMY"), ("intervalstyle", "iso_8601")):
            administrator.execute(
                sql.SQL("alter database {} set {} = {}").format(
                    sql.Identifier(database.name), sql.Identifier(name), sql.Literal(value)
                )
            )
    found = seen(database)
    assert found.report.findings
    full = read_set(database.owner_dsn, "app.events", found)
    assert full is not None
    assert any(each.vacuumed_at is not None for each in full.partitions)


def test_a_partition_of_the_year_12000_takes_nothing_off_the_page(database: Database, owner: Connection) -> None:
    install(owner)
    daily_set(owner, "app.events")
    owner.execute("drop table app.events_default")
    end = owner.execute(
        "select max((regexp_match(pg_get_expr(relpartbound, oid), 'TO \\(''(.+)''\\)'))[1]::timestamptz)::text "
        "from pg_class join pg_inherits on inhrelid = oid where inhparent = 'app.events'::regclass"
    ).fetchone()
    assert end is not None
    owner.execute(
        sql.SQL("create table app.far partition of app.events for values from ({}) to ('12000-01-01')").format(
            sql.Literal(end[0])
        )
    )
    owner.execute("select partwarden.note_reach()")
    assert owner.execute("update partwarden.reach set seen_at = seen_at - interval '1 day'").rowcount == 1
    record = seen(database).record
    assert record is not None
    assert record.reach == {}


def test_a_set_by_id_has_no_line_in_time(database: Database, owner: Connection) -> None:
    install(owner)
    owner.execute("create table app.ids (id bigint not null) partition by range (id)")
    create_parent(owner, "app.ids", "1000", p_control="id", p_premake=4, p_start_partition="0")
    owner.execute("insert into app.ids values (1)")
    owner.execute("select partwarden.note_reach()")
    assert owner.execute("select count(*) from partwarden.reach").fetchone() == (0,)


def test_an_archive_that_nobody_manages_is_not_the_first_to_run_out(database: Database, owner: Connection) -> None:
    daily_set(owner, "app.events")
    owner.execute(
        "create table app.archive (day date not null) partition by range (day);"
        "create table app.archive_2019 partition of app.archive for values from ('2019-01-01') to ('2020-01-01')"
    )
    first = tightest(seen(database).sets)
    assert first is not None
    assert first.name == "app.events"


def test_children_by_plain_inheritance_have_no_bounds_and_are_listed(database: Database, owner: Connection) -> None:
    owner.execute("create table app.p (a integer); create table app.c () inherits (app.p)")
    found = read_set(database.owner_dsn, "app.p", seen(database))
    assert found is not None
    assert [(each.name, each.bound) for each in found.partitions] == [("app.c", "")]


@dataclass(frozen=True)
class _Run:
    """A run of pg_cron, as its log has it."""

    jobid: int
    runid: int
    status: str
    start_time: datetime | None
    end_time: datetime | None


def _runs(last: int) -> list[_Run]:
    """A thousand runs of five jobs up to number ``last``: of one that is well, that fails, failed only, runs, and starts."""
    dice = random.Random(7)
    begin, runs = datetime(2026, 11, 1, tzinfo=UTC), []
    for number in range(1000):
        job, is_late = 900_000 + number % 5, number >= 990
        started, took = begin + timedelta(minutes=number), timedelta(seconds=dice.randrange(50))
        failed = job == 900_002 or dice.random() < 0.1 or (job == 900_001 and number > 900)
        unfinished = {900_003: "running", 900_004: "starting"}.get(job) if is_late else None
        runs.append(
            _Run(
                job,
                last - 999 + number,
                unfinished or ("succeeded" if not failed else "failed"),
                None if unfinished == "starting" else started,
                None if unfinished else started + took,
            )
        )
    return runs


@pytest.mark.one_server
def test_the_log_of_runs_is_read_once_and_says_of_each_job_what_is_newest(database: Database) -> None:
    with psycopg.connect(database.server.cluster.dsn()) as cron:
        cron.execute("delete from cron.job_run_details")  # they are brought back in the end
        cron.execute("set local enable_seqscan = off")  # of so few rows all would be read for one
        row = cron.execute("select last_value from cron.runid_seq").fetchone()
        assert row is not None
        runs = _runs(last=row[0])
        with cron.cursor() as cursor:
            cursor.executemany(
                "insert into cron.job_run_details (jobid, runid, status, start_time, end_time) values (%s, %s, %s, %s, %s)",
                [(each.jobid, each.runid, each.status, each.start_time, each.end_time) for each in runs],
            )
        before = _rows_read(cron)
        row = cron.execute(bundle.source("cron_run").encode()).fetchone()
        assert row is not None
        read = _rows_read(cron) - before
        cron.rollback()
    found = {each["jobid"]: each for each in row[0]}
    for job in range(900_000, 900_005):
        own = [each for each in runs if each.jobid == job]
        finished = [each for each in own if each.status in ("succeeded", "failed")][-1]
        well = [each for each in own if each.status == "succeeded"]
        since = [
            each.start_time for each in own if each.status == "failed" and (not well or each.runid > well[-1].runid)
        ]
        assert (found[job]["runid"], found[job]["status"]) == (finished.runid, finished.status)
        assert (found[job]["newest_runid"], found[job]["newest_status"]) == (own[-1].runid, own[-1].status)
        assert _moment(found[job]["failing_since"]) == (since[0] if finished.status == "failed" else None)
        assert _moment(found[job]["last_started"]) == max(each.start_time for each in own if each.start_time)
    assert found[900_002]["usual"] is None
    assert read < 2.2 * len(runs)  # once, and once more for the job that has only failed


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _rows_read(cron: Connection) -> int:
    """How many rows of pg_cron's log this transaction has read."""
    row = cron.execute(
        "select seq_tup_read + coalesce(idx_tup_fetch, 0) from pg_stat_xact_all_tables"
        " where relid = 'cron.job_run_details'::regclass"
    ).fetchone()
    assert row is not None
    return int(row[0])
