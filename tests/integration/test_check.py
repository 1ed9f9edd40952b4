"""``partwarden check``: against a database that has nothing of ours, as whatever role there is."""

from __future__ import annotations

import json
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from partwarden import bundle, health
from partwarden.database import Connection, connect_read_only
from partwarden.findings import Report, Status, worst
from partwarden.given import DEFAULT_THRESHOLDS
from partwarden.health import Question, Target
from partwarden.install import install
from tests.partition_sets import daily_set, put_row_in_the_way
from tests.servers import OWNER, Database

READER = "only_reads"


@pytest.fixture
def owner(database: Database) -> Iterator[Connection]:
    """The owner's connection to a database with one healthy set."""
    with database.connect_owner() as connection:
        connection.execute("create schema app")
        daily_set(connection, "app.a")
        yield connection


@pytest.fixture
def reader_dsn(database: Database) -> Iterator[str]:
    """A role that may connect and nothing else."""
    cluster = database.server.cluster
    cluster.add_role(READER)
    yield cluster.dsn(database.name, READER)
    with database.connect() as superuser:
        superuser.execute(f"drop owned by {READER}")
    with psycopg.connect(cluster.dsn(), autocommit=True) as superuser:
        superuser.execute(f"drop owned by {READER}")
        superuser.execute(f"drop role {READER}")


def found(report: Report) -> set[tuple[str, str, str]]:
    assert report.error is None
    return {(each.check, each.severity, each.object) for each in report.findings if each.check != "job-missing"}


def reasons(report: Report) -> dict[str, str]:
    return {each.check: each.reason for each in report.skipped}


def test_what_is_wrong_is_found_with_nothing_installed(database: Database, owner: Connection) -> None:
    put_row_in_the_way(owner, "app.a")
    report = health.check_database(database.dsn)
    assert report.status is Status.CRITICAL
    assert found(report) == {
        ("default-blocks-maintenance", "critical", "app.a"),
        ("default-not-empty", "warning", "app.a"),
    }
    (blocking, *_) = (each for each in report.findings if each.check == "default-blocks-maintenance")
    assert blocking.database == database.name
    assert blocking.remedy == "partwarden repair app.a"
    assert owner.execute("select to_regnamespace('partwarden')").fetchone() == (None,)
    version = owner.execute("select extversion from pg_extension where extname = 'pg_partman'").fetchone()
    assert (report.server["pg_partman"],) == version


def test_its_session_can_not_write(database: Database) -> None:
    with (
        connect_read_only(database.owner_dsn, timeout=5) as connection,
        pytest.raises(psycopg.errors.ReadOnlySqlTransaction),
    ):
        connection.execute("create table public.written (id int)")


def test_it_takes_no_lock_that_a_reader_would_not(database: Database, owner: Connection) -> None:
    put_row_in_the_way(owner, "app.a")
    given = f"select '{json.dumps({'setting': dict(DEFAULT_THRESHOLDS)})}'::jsonb as fact"
    statement = bundle.statement(bundle.checks(), given=given, met=frozenset({"pg_partman"}), partman_schema="partman")
    with owner.transaction():
        assert owner.execute(statement.encode()).fetchall()
        modes = owner.execute(
            "select distinct mode from pg_locks where pid = pg_backend_pid() and locktype = 'relation'"
        ).fetchall()
    assert modes == [("AccessShareLock",)]


def test_a_default_partition_that_is_locked_is_not_waited_for(database: Database, owner: Connection) -> None:
    daily_set(owner, "app.b")
    for name in ("app.a", "app.b"):
        owner.execute(f"insert into {name} values (1, now() - interval '1 year')")
    with owner.transaction():
        owner.execute("lock table app.a_default in access exclusive mode")
        report = health.check_database(database.dsn)
    assert found(report) == {("default-not-empty", "warning", "app.b")}
    for check in ("default-not-empty", "default-blocks-maintenance"):
        assert reasons(report)[check] == (
            "of app.a, a default partition could not be looked into: another session has locked it"
        )
    assert report.duration_ms < 5000


def test_what_a_role_may_not_see_is_said_and_never_called_healthy(
    database: Database, owner: Connection, reader_dsn: str
) -> None:
    owner.execute("insert into app.a values (1, now() - interval '1 year')")
    report = health.check_database(reader_dsn)
    assert found(report) == set()
    said = reasons(report)
    partman_checks = {check.id for check in bundle.checks() if {"pg_partman", "sets"} & set(check.needs)}
    cron_checks = {check.id for check in bundle.checks() if "pg_cron" in check.needs}
    assert partman_checks | cron_checks <= said.keys()
    assert "grant usage on schema partman to only_reads" in said["gap"]
    assert 'grant usage on schema cron to "only_reads"' in said["job-failed"]


def test_the_reader_shows_a_role_what_it_needs_and_keeps_doing_so(
    database: Database, owner: Connection, reader_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner.execute("insert into app.a values (1, now() - interval '1 year')")
    with database.connect() as superuser:
        report = install(superuser, readers=[READER])
        assert report.readers == (READER,)
        assert any("default partitions" in note for note in report.notes)
        superuser.execute(sql.SQL("grant pg_read_all_data, pg_monitor to {}").format(sql.Identifier(READER)))
        assert found(health.check_database(reader_dsn)) == {("default-not-empty", "warning", "app.a")}
        # Code is replaced whole at an upgrade; the reader goes on reading.
        monkeypatch.setattr(bundle, "code_hash", lambda: "another")
        again = install(superuser)
    assert (again.code_replaced, again.readers) == (True, ())
    after = health.check_database(reader_dsn)
    assert found(after) == {("default-not-empty", "warning", "app.a")}
    assert "gap" not in reasons(after)


def test_the_reader_in_pg_crons_database_shows_all_jobs(database: Database, owner: Connection, reader_dsn: str) -> None:
    cluster = database.server.cluster
    with psycopg.connect(cluster.dsn(), autocommit=True) as cron:
        cron.execute(
            "select cron.schedule_in_database('of another', '0 0 * * sat-sun', 'call partman.run_maintenance_proc()', %s)",
            (database.name,),
        )
        try:
            install(cron, readers=[READER])
            with database.connect() as superuser:
                superuser.execute(
                    f"grant usage on schema partman to {READER};"
                    f"grant select on all tables in schema partman to {READER}"
                )
            report = health.check_database(reader_dsn)
            assert [
                (each.check, each.detail["cause"]) for each in report.findings if each.check != "job-never-fires"
            ] == []
            assert [each.check for each in report.findings] == ["job-never-fires"]
            assert "row-level security" not in " ".join(reasons(report).values())
        finally:
            cron.execute("select cron.unschedule(jobid) from cron.job")
            cron.execute("drop schema partwarden cascade")
            cron.execute("drop procedure if exists public.send_cron_job_failures(varchar, varchar)")
            cron.execute("drop procedure if exists public.send_cron_job_failures_multi_record(varchar, varchar)")


def test_without_the_reader_an_empty_answer_proves_nothing(database: Database, owner: Connection) -> None:
    """Row-level security hides another role's jobs even from who may read all data."""
    with psycopg.connect(database.server.cluster.dsn(), autocommit=True) as cron:
        cron.execute(f"grant usage on schema cron to {OWNER}")
        cron.execute(
            "select cron.schedule_in_database('of another', '0 0 * * sat-sun', 'call partman.run_maintenance_proc()', %s)",
            (database.name,),
        )
        report = health.check_database(database.owner_dsn)
        cron.execute("select cron.unschedule(jobid) from cron.job")
    said = reasons(report)
    assert "job-missing" not in {each.check for each in report.findings}
    for check in ("job-missing", "job-never-fires"):
        assert said[check].startswith("row-level security hides other roles' jobs from app_owner")


def test_one_unreachable_database_does_not_stop_the_others(database: Database, owner: Connection) -> None:
    there, gone = health.check_databases(
        [Target(database.dsn), Target("host=127.0.0.1 port=1 dbname=nowhere password=secret")]
    )
    assert there.error is None
    assert gone.status is Status.UNKNOWN
    assert "secret" not in repr(gone)
    assert worst([there, gone]) is Status.UNKNOWN


def test_a_database_that_takes_too_long_is_unknown(database: Database, owner: Connection) -> None:
    report = health.check_database(database.dsn, Question(timeout=0.001))
    assert report.status is Status.UNKNOWN
    assert report.error == "no answer within 0.001 s"


def test_checks_can_be_chosen_and_weighed(database: Database, owner: Connection) -> None:
    put_row_in_the_way(owner, "app.a")
    only = health.check_database(database.dsn, Question(only=frozenset({"default-not-empty"})))
    assert found(only) == {("default-not-empty", "warning", "app.a")}
    without = health.check_database(database.dsn, Question(skip=frozenset({"default-blocks-maintenance"})))
    assert ("default-blocks-maintenance", "critical", "app.a") not in found(without)
    heavier = health.check_database(
        database.dsn,
        Question(only=frozenset({"default-not-empty"}), severities={"default-not-empty": "critical"}),
    )
    assert heavier.status is Status.CRITICAL


def test_thresholds_are_the_tables_unless_they_are_given(database: Database, owner: Connection) -> None:
    only = frozenset({"headroom-low"})
    assert found(health.check_database(database.dsn, Question(only=only))) == set()
    strict = Question(only=only, thresholds={"headroom": 30})
    assert found(health.check_database(database.dsn, strict)) == {("headroom-low", "warning", "app.a")}
    install(owner)
    stored = owner.execute("select to_jsonb(setting) from partwarden.setting").fetchone()
    assert stored is not None
    for name, value in DEFAULT_THRESHOLDS.items():
        same = owner.execute(
            "select to_jsonb(s) ->> %(name)s from jsonb_populate_record(null::partwarden.setting, %(given)s::jsonb) s",
            {"name": name, "given": json.dumps({name: value})},
        ).fetchone()
        assert same == (
            None if stored[0][name] is None else str(stored[0][name]).replace("True", "true").replace("False", "false"),
        )
    owner.execute("update partwarden.setting set headroom = 30")
    assert found(health.check_database(database.dsn, Question(only=only))) == {("headroom-low", "warning", "app.a")}


def test_a_threshold_that_is_none_is_an_error(database: Database) -> None:
    report = health.check_database(database.dsn, Question(thresholds={"stuck_after": "banana"}))
    assert report.status is Status.UNKNOWN
    assert "a threshold can't be read" in str(report.error)


def test_a_check_that_fails_costs_the_others_nothing(
    database: Database, owner: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner.execute("insert into app.a values (1, now() - interval '1 year')")
    broken = bundle.Check(
        "gap", "warning", (), (), "", "select (1 / 0)::text, null::text, null::text, null::jsonb, null::text, now()"
    )
    whole = bundle.checks()
    monkeypatch.setattr(bundle, "checks", lambda: tuple(broken if each.id == "gap" else each for each in whole))
    report = health.check_database(database.dsn)
    assert found(report) == {("default-not-empty", "warning", "app.a"), ("check-error", "warning", "gap")}
    assert reasons(report)["gap"] == "the check failed: division by zero"


def test_a_job_is_told_of_once(database: Database, owner: Connection) -> None:
    """By its own database, though it is seen from the one that pg_cron lives in as well."""
    home = database.server.cluster.dsn()
    with psycopg.connect(home, autocommit=True) as cron:
        row = cron.execute(
            "select cron.schedule_in_database('weekend', '0 0 * * sat-sun', 'call partman.run_maintenance_proc()', %s)",
            (database.name,),
        ).fetchone()
        alone = health.check_database(home)
        both = health.check_databases([Target(home), Target(database.dsn)])
        cron.execute("select cron.unschedule(jobid) from cron.job")
    assert row is not None
    job = ("job-never-fires", "critical", f"job {row[0]} (weekend)")
    assert found(alone) == {job}
    assert [found(report) for report in both] == [set(), {job}]


def test_a_big_default_partition_is_not_read_through(database: Database, owner: Connection) -> None:
    owner.execute(
        "create table app.big (id bigint not null, at timestamptz not null, pad text) partition by range (at)"
    )
    from tests.partition_sets import create_parent

    create_parent(owner, "app.big", "1 day", p_control="at")
    owner.execute(
        "insert into app.big select n, now() - interval '1 year', repeat('x', 900) from generate_series(1, 40000) n"
    )
    owner.execute("delete from app.big")
    owner.execute("analyze app.big")
    (pages,) = owner.execute("select pg_relation_size('app.big_default') / 8192").fetchone() or (0,)
    assert pages > 4500
    with database.connect() as superuser:
        superuser.execute("select pg_stat_reset()")
    report = health.check_database(
        database.dsn, Question(only=frozenset({"default-not-empty", "default-blocks-maintenance"}))
    )
    assert "only a part of a default partition was looked at" in reasons(report)["default-not-empty"]
    assert "without an index on the control column" in reasons(report)["default-blocks-maintenance"]
    with database.connect() as superuser:
        superuser.execute("select pg_stat_clear_snapshot()")
        read = superuser.execute(
            "select heap_blks_read + heap_blks_hit from pg_statio_all_tables where relid = 'app.big_default'::regclass"
        ).fetchone()
    assert read is not None
    assert read[0] < 2200
    exact = health.check_database(database.dsn, Question(thresholds={"count_rows": True}))
    assert "default-not-empty" not in reasons(exact)


def test_a_role_that_is_no_reader_still_gets_an_answer_where_partwarden_is(
    database: Database, owner: Connection, reader_dsn: str
) -> None:
    install(owner)
    report = health.check_database(reader_dsn)
    assert report.error is None
    assert "partwarden install --reader" in reasons(report)["monitor-overdue"]


@pytest.mark.parametrize(
    ("retention", "is_understood"),
    [
        *((text, False) for text in ("", "P", "banana", "1 day 1 day", "00:99:00", "99999999999999999999 days", "@ ")),
        *((text, True) for text in ("1 day", "1 DAY", "24h", "P1D", "PT24H", "1 days", "24:00:00", "0 years 1 day")),
    ],
)
def test_a_spoiled_configuration_stops_no_check(
    database: Database, owner: Connection, retention: str, is_understood: bool
) -> None:
    owner.execute("update partman.part_config set retention = %s", (retention,))
    report = health.check_database(database.dsn)
    assert "check-error" not in {each.check for each in report.findings}
    assert ("retention-overdue" in {each.check for each in report.findings}) is is_understood
