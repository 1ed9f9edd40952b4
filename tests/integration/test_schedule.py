"""Jobs in pg_cron: the right database, stable names, and what is found when they fail."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from partwarden.database import Connection
from partwarden.errors import ScheduleRefused
from partwarden.install import install, uninstall
from partwarden.schedule import EVERY_MINUTE, EVERY_TEN_SECONDS, job_name, schedule, unschedule
from tests.partition_sets import (
    daily_set,
    partman_version,
    put_row_in_the_way,
    switch_repair_off,
    want_one_more_partition,
)
from tests.servers import OWNER, Database, Server, running_server
from tests.waiting import wait_until

LAMBDA = "arn:aws:lambda:us-east-1:123456789012:function:alert"
TOPIC = "arn:aws:sns:us-east-1:123456789012:it's-a-topic"


@pytest.fixture
def installed(database: Database) -> Database:
    """A database with partwarden and a schema for its tables."""
    with database.connect_owner() as owner:
        install(owner)
        owner.execute("create schema app")
    return database


@pytest.fixture
def cron(server: Server) -> Iterator[Connection]:
    """The owner's connection to the database that pg_cron lives in, with partwarden installed there too."""
    home = Database(server, server.cluster.cron_database)
    with home.connect() as superuser:
        superuser.execute(f"grant create on database postgres to {OWNER}")
        superuser.execute(f"grant create on schema public to {OWNER}")
    with home.connect_owner() as owner:
        install(owner)
        yield owner
        uninstall(owner)


def test_job_that_was_switched_off_is_on_again(installed: Database) -> None:
    schedule(installed.owner_dsn)
    with psycopg.connect(installed.server.cluster.dsn(), autocommit=True) as superuser:
        superuser.execute("update cron.job set active = false where database = %s", (installed.name,))
    assert {job.change for job in schedule(installed.owner_dsn).jobs} == {"changed"}
    assert [job[-1] for job in jobs(installed)] == [True, True]


def jobs(database: Database) -> list[tuple[Any, ...]]:
    with psycopg.connect(database.server.cluster.dsn(user=OWNER), autocommit=True) as connection:
        return connection.execute(
            "select jobname, schedule, command, database, username, active from cron.job where database = %s order by 1",
            (database.name,),
        ).fetchall()


def can_do_seconds(server: Server) -> bool:
    return server.major > 15


def test_both_jobs_go_into_the_right_database_and_stay_the_same(installed: Database) -> None:
    first = schedule(installed.owner_dsn, lambda_arn=LAMBDA, topic_arn=TOPIC)
    monitor_schedule = EVERY_TEN_SECONDS if can_do_seconds(installed.server) else EVERY_MINUTE
    command = f"call partwarden.monitor('{LAMBDA}', 'arn:aws:sns:us-east-1:123456789012:it''s-a-topic')"
    expected = [
        (
            f"partwarden maintain {installed.name}",
            "0 * * * *",
            "call partwarden.maintain()",
            installed.name,
            OWNER,
            True,
        ),
        (f"partwarden monitor {installed.name}", monitor_schedule, command, installed.name, OWNER, True),
    ]
    assert jobs(installed) == expected
    assert [job.change for job in first.jobs] == ["added", "added"]
    assert [job.change for job in schedule(installed.owner_dsn, lambda_arn=LAMBDA, topic_arn=TOPIC).jobs] == [
        "unchanged",
        "unchanged",
    ]
    assert jobs(installed) == expected

    changed = schedule(installed.owner_dsn, lambda_arn=LAMBDA, topic_arn=TOPIC, maintenance="15 * * * *")
    assert [job.change for job in changed.jobs] == ["changed", "unchanged"]
    assert len(jobs(installed)) == 2
    assert jobs(installed)[0][1] == "15 * * * *"

    left_out = schedule(installed.owner_dsn, monitor="* * * * *")
    assert [job.change for job in left_out.jobs] == [
        "unchanged",
        "unchanged" if monitor_schedule == EVERY_MINUTE else "changed",
    ]
    assert jobs(installed)[1][2] == command  # the alert is not lost by what was not said again

    assert len(unschedule(installed.owner_dsn)) == 2
    assert jobs(installed) == []


def test_a_database_name_that_is_long_and_odd_gets_jobs_of_its_own(server: Server) -> None:
    name = 'a "b" ' + "ö" * 28
    assert len(name.encode()) == 62
    database = server.new_database(name)
    try:
        with database.connect_owner() as owner:
            install(owner)
        for _ in range(2):
            schedule(database.owner_dsn)
        assert [job[0] for job in jobs(database)] == [job_name("maintain", name), job_name("monitor", name)]
        assert all(len(job[0].encode()) <= 63 for job in jobs(database))
    finally:
        server.drop_database(database)


def test_what_is_missing_is_named(server: Server, database: Database) -> None:
    with pytest.raises(ScheduleRefused, match="does not have partwarden"):
        schedule(database.owner_dsn)
    with database.connect_owner() as owner:
        install(owner)
    with pytest.raises(ScheduleRefused, match="both"):
        schedule(database.owner_dsn, lambda_arn=LAMBDA)
    if not can_do_seconds(server):
        with pytest.raises(ScheduleRefused, match=r"pg_cron 1\.4.* can't run a job every 10 seconds"):
            schedule(database.owner_dsn, monitor="10 seconds")
    with pytest.raises(ScheduleRefused, match="invalid schedule"):
        schedule(database.owner_dsn, maintenance="every now and then")
    with psycopg.connect(server.cluster.dsn(), autocommit=True) as superuser:
        superuser.execute(f"revoke execute on function cron.schedule_in_database from {OWNER}")
        try:
            with pytest.raises(ScheduleRefused, match="may not schedule jobs") as refused:
                schedule(database.owner_dsn)
            assert "grant execute on function cron.schedule_in_database" in str(refused.value.remedy)
        finally:
            superuser.execute(f"grant execute on function cron.schedule_in_database to {OWNER}")
    assert jobs(database) == []


def test_another_maintenance_job_is_pointed_out(installed: Database) -> None:
    with psycopg.connect(installed.server.cluster.dsn(user=OWNER), autocommit=True) as connection:
        connection.execute(
            "select cron.schedule_in_database('old one', '0 1 * * *', 'call partman.run_maintenance_proc()', %s)",
            (installed.name,),
        )
    notes = schedule(installed.owner_dsn).notes
    assert any("(old one) runs pg_partman's maintenance" in note for note in notes)


def test_failed_jobs_are_found_and_broken_sets_even_behind_a_success(installed: Database, cron: Connection) -> None:
    """One broken set: partwarden's job fails on every server; pg_partman's own one succeeds on 5.5."""
    server = installed.server
    unguarded = server.new_database()
    for each in (installed, unguarded):
        with each.connect_owner() as owner:
            owner.execute("create schema if not exists app")
            daily_set(owner, "app.broken")
            daily_set(owner, "app.fine")
            put_row_in_the_way(owner, "app.broken")
            if each is installed:
                switch_repair_off(owner)
            want_one_more_partition(owner)
            version = partman_version(owner)
    every = "2 seconds" if can_do_seconds(server) else EVERY_MINUTE
    schedule(installed.owner_dsn, maintenance=every, monitor="0 0 1 1 *")
    cron.execute(
        "select cron.schedule_in_database('partman''s own', %s, 'call partman.run_maintenance_proc()', %s)",
        (every, unguarded.name),
    )
    dropped = server.new_database('soon "gone"')
    cron.execute(
        "select cron.schedule_in_database('nowhere', %s, 'call partman.run_maintenance_proc()', %s)",
        (every, dropped.name),
    )
    with psycopg.connect(server.cluster.dsn(), autocommit=True) as superuser:
        superuser.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(dropped.name)))
    try:
        wait_until(lambda: len(finished_runs(cron)) == 3, "each of the three jobs has a finished run", seconds=100)
        outcomes = finished_runs(cron)
        assert outcomes[job_name("maintain", installed.name)] == "failed"
        assert outcomes["nowhere"] == "failed"
        assert outcomes["partman's own"] == ("succeeded" if version.startswith("5.5") else "failed")

        cron.execute("call partwarden.monitor()")

        found = {
            row[0]: row[1]
            for row in cron.execute(
                "select object, detail from partwarden.incident where check_id in ('job-failed', 'job-wrong-target')"
            ).fetchall()
        }
        nowhere = next(detail for each, detail in found.items() if "nowhere" in each)
        assert nowhere["cause"] == f"database {dropped.name} does not exist"
        assert any(job_name("maintain", installed.name) in each for each in found)
        maintain = next(detail for each, detail in found.items() if "maintain" in each)
        assert maintain["cause"].startswith("ERROR: maintenance failed for 1 of 2 partition sets: app.broken")
        # What pg_cron calls a success on 5.5 is found in the database itself, from its state.
        with unguarded.connect_owner() as owner:
            install(owner)
            found_there = owner.execute(
                "select check_id, object from partwarden.run_checks() where skipped is null"
            ).fetchall()
        assert ("default-blocks-maintenance", "app.broken") in found_there
    finally:
        unschedule(installed.owner_dsn)
        cron.execute("select cron.unschedule(jobid) from cron.job")
        server.drop_database(unguarded)


def test_a_run_that_could_not_connect_is_told_of(server: Server, tmp_path: Path) -> None:
    """Without background workers pg_cron connects over TCP; here to a host that does not exist."""
    elsewhere = {"cron.use_background_workers": "off", "cron.host": "no-such-host.invalid"}
    with running_server(server.major, tmp_path, elsewhere) as locked_out:
        home = Database(locked_out, "postgres")
        with home.connect() as superuser:
            install(superuser)
            every = "1 second" if can_do_seconds(server) else EVERY_MINUTE
            superuser.execute("select cron.schedule('at night', %s, 'call partman.run_maintenance_proc()')", (every,))
            wait_until(lambda: finished_runs(superuser), "the job has a finished run", seconds=100)
            superuser.execute("call partwarden.monitor()")
            run = superuser.execute("select start_time, end_time from partwarden.job_run").fetchone()
            message = superuser.execute("select subject, message from partwarden.notification").fetchone()
    assert message is not None
    assert "job-cannot-connect" in message[0]
    assert "could not connect to database postgres" in message[1]
    if server.major == 15:  # pg_cron 1.4 leaves the times empty, 1.6 fills them in
        assert run == (None, None)


def test_a_run_without_a_start_time_loses_no_message(cron: Connection, server: Server) -> None:
    """What pg_cron 1.4 writes when it could not connect, on every server; NULL swallows a message made with ||."""
    with old_failed_job(server, return_message=None, times="null") as superuser:
        cron.execute("call partwarden.monitor()")
        message = cron.execute("select message from partwarden.notification").fetchone()
        assert message is not None
        assert "could not connect" in message[0]
        assert "pg_cron gives no reason" in message[0]
        superuser.execute("delete from cron.job_run_details")


def finished_runs(cron: Connection) -> dict[str, str]:
    """The status of the newest finished run of each job that is scheduled now."""
    rows = cron.execute(
        "select distinct on (jobid) jobname, status from cron.job_run_details join cron.job using (jobid) "
        "where status in ('succeeded', 'failed') order by jobid, runid desc"
    ).fetchall()
    return {str(name): str(status) for name, status in rows}


def test_the_articles_commands_lead_to_the_monitor(cron: Connection) -> None:
    for procedure in ("send_cron_job_failures", "send_cron_job_failures_multi_record"):
        cron.execute("update partwarden.monitor_state set last_finished_at = null")
        cron.execute(sql.SQL(" call {} (null, null); ").format(sql.SQL(procedure)))
        assert cron.execute("select last_finished_at is not null from partwarden.monitor_state").fetchone() == (True,)


def test_the_run_cursor_reads_only_what_is_new(cron: Connection, server: Server) -> None:
    """A job that failed is remembered though its rows are long behind the cursor, and purged."""
    with old_failed_job(server, return_message='ERROR: "quoted"\nünï', times="now()") as superuser:
        cron.execute("call partwarden.monitor()")
        superuser.execute("delete from cron.job_run_details")
        superuser.execute("select setval('cron.runid_seq', last_value + 200000) from cron.runid_seq")
        cron.execute("call partwarden.monitor()")
        found = cron.execute(
            "select detail ->> 'cause', detail ->> 'message', resolved_at from partwarden.incident "
            "where check_id = 'job-failed' and object like '%%(old)'"
        ).fetchall()
        assert found == [('ERROR: "quoted"', 'ERROR: "quoted"\nünï', None)]


@contextmanager
def old_failed_job(server: Server, *, return_message: str | None, times: str) -> Iterator[Connection]:
    """A job of the owner's that never fires, with one failed run in pg_cron's own table."""
    with psycopg.connect(server.cluster.dsn(), autocommit=True) as superuser:
        superuser.execute("select cron.schedule('old', '0 0 30 2 *', 'call partman.run_maintenance_proc()')")
        superuser.execute("update cron.job set username = %s where jobname = 'old'", (OWNER,))
        superuser.execute(
            f"insert into cron.job_run_details (jobid, database, username, command, status, return_message, start_time, "
            f"end_time) select jobid, 'postgres', %s, command, 'failed', %s, {times}, {times} "
            "from cron.job where jobname = 'old'",
            (OWNER, return_message),
        )
        try:
            yield superuser
        finally:
            superuser.execute("delete from cron.job where jobname = 'old'")
