"""Checks, findings, incidents and notifications, as far as a database can show them by itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import psycopg
import pytest

from partwarden.database import Connection
from partwarden.install import install
from tests.partition_sets import (
    create_parent,
    daily_set,
    put_row_in_the_way,
    switch_repair_off,
    want_one_more_partition,
)
from tests.servers import Database
from tests.waiting import wait_until


@pytest.fixture
def owner(database: Database) -> Iterator[Connection]:
    """An ordinary role's connection to a database that has partwarden, and a schema for its tables."""
    with database.connect_owner() as connection:
        install(connection, cluster="prod-eu")
        connection.execute("create schema app")
        yield connection


def findings(connection: Connection) -> set[tuple[str, str, str]]:
    rows = connection.execute(
        "select check_id, severity, object from partwarden.run_checks() where skipped is null"
    ).fetchall()
    return {(str(check), str(severity), str(found)) for check, severity, found in rows}


def notifications(connection: Connection) -> list[tuple[str, str]]:
    rows = connection.execute("select subject, message from partwarden.notification order by number").fetchall()
    return [(str(subject), str(message)) for subject, message in rows]


def test_a_healthy_set_has_no_finding(owner: Connection) -> None:
    daily_set(owner, "app.a")
    owner.execute("insert into app.a values (1, now())")
    owner.execute("call partwarden.maintain()")
    assert findings(owner) == set()
    owner.execute("call partwarden.monitor()")
    assert notifications(owner) == []


def test_a_row_in_the_way_is_found_before_maintenance_fails(owner: Connection) -> None:
    daily_set(owner, "app.a")
    put_row_in_the_way(owner, "app.a")
    assert findings(owner) == {
        ("default-blocks-maintenance", "critical", "app.a"),
        ("default-not-empty", "warning", "app.a"),
    }


def test_a_row_far_in_the_past_blocks_nothing(owner: Connection) -> None:
    daily_set(owner, "app.a")
    owner.execute("insert into app.a values (1, now() - interval '1 year')")
    assert findings(owner) == {("default-not-empty", "warning", "app.a")}


def test_a_row_absurdly_far_ahead_is_not_to_be_drained(owner: Connection) -> None:
    """Draining it would make a partition there, and pg_partman would count from that one."""
    daily_set(owner, "app.a")
    owner.execute("insert into app.a values (1, '2199-12-31')")
    remedies = owner.execute("select remedy from partwarden.run_checks() where skipped is null").fetchall()
    assert remedies
    for (remedy,) in remedies:
        assert remedy.startswith("select * from app.a_default where created_at >= '")
        assert owner.execute(remedy).fetchall() != []


def test_a_row_absurdly_far_ahead_does_not_make_maintenance_run_away(owner: Connection) -> None:
    for name in ("app.a", "app.b"):
        daily_set(owner, name)
    owner.execute("update partman.part_config set ignore_default_data = false")
    owner.execute("insert into app.a values (1, '2199-12-31')")
    with pytest.raises(psycopg.errors.DataException, match=r"1 of 2 partition sets: app\.a"):
        owner.execute("call partwarden.maintain()")
    failure = owner.execute(
        "select sqlstate, message from partwarden.maintenance_run where outcome = 'failed'"
    ).fetchone()
    assert failure is not None
    assert failure[0] == "54000"
    assert "2199-12-31" in failure[1]


def test_a_configured_table_that_does_not_exist_is_found(owner: Connection) -> None:
    daily_set(owner, "app.gone")
    owner.execute("drop table app.gone")
    with pytest.raises(psycopg.errors.DataException):
        owner.execute("call partwarden.maintain()")
    assert findings(owner) == {("config-orphan", "critical", "app.gone")}


def test_the_remedy_of_low_headroom_fits_its_cause(owner: Connection) -> None:
    daily_set(owner, "app.off", premake=4)
    daily_set(owner, "app.idle", premake=4)
    owner.execute("update partman.part_config set automatic_maintenance = 'off' where parent_table = 'app.off'")
    owner.execute("update partman.part_config set infinite_time_partitions = false where parent_table = 'app.idle'")
    for name in ("app.off", "app.idle"):
        drop_partitions_ahead(owner, name)
    remedies: dict[str, str] = dict(
        owner.execute(
            "select object, remedy from partwarden.run_checks() where check_id = 'headroom-low' and skipped is null"
        ).fetchall()
    )
    assert "automatic_maintenance = 'on'" in remedies["app.off"]
    assert "infinite_time_partitions = true" in remedies["app.idle"]
    for remedy in remedies.values():
        for statement in remedy.splitlines():
            owner.execute(statement)
    assert findings(owner) == set()


def drop_partitions_ahead(connection: Connection, parent: str) -> None:
    """Leave a set with the partition of today as its last."""
    ahead = connection.execute(
        "select inhrelid::regclass::text from pg_inherits join pg_class on oid = inhrelid "
        "where inhparent = %s::regclass and relpartbound is not null and pg_get_expr(relpartbound, oid) <> 'DEFAULT' "
        "and (regexp_match(pg_get_expr(relpartbound, oid), 'FROM \\(''(.+?)''\\)'))[1]::timestamptz > now()",
        (parent,),
    ).fetchall()
    assert ahead
    for (name,) in ahead:
        connection.execute(f"drop table {name}")


def test_failed_maintenance_of_a_set_is_found_whatever_the_job_says(owner: Connection) -> None:
    daily_set(owner, "app.a")
    switch_repair_off(owner)
    put_row_in_the_way(owner, "app.a")
    want_one_more_partition(owner)
    with pytest.raises(psycopg.errors.DataException):
        owner.execute("call partwarden.maintain()")
    assert ("maintenance-stale", "critical", "app.a") in findings(owner)


def test_maintenance_that_is_long_ago_is_found(owner: Connection) -> None:
    daily_set(owner, "app.a")
    owner.execute("call partwarden.maintain()")
    owner.execute("update partwarden.maintenance_run set finished_at = finished_at - interval '27 hours'")
    knows = owner.execute(
        "select count(*) from pg_attribute where attrelid = 'partman.part_config'::regclass "
        "and attname = 'maintenance_last_run'"
    ).fetchone()
    if knows == (1,):
        owner.execute("update partman.part_config set maintenance_last_run = now() - interval '27 hours'")
    assert findings(owner) == {("maintenance-stale", "critical", "app.a")}


def test_few_partitions_ahead_are_found(owner: Connection) -> None:
    daily_set(owner, "app.a", premake=4)
    owner.execute("call partwarden.maintain()")
    drop_partitions_ahead(owner, "app.a")
    assert {(check, found) for check, _, found in findings(owner)} == {("headroom-low", "app.a")}


def test_a_moment_without_a_partition_is_critical(owner: Connection) -> None:
    daily_set(owner, "app.a", premake=4)
    owner.execute(
        """
        do $$ declare today regclass; begin
            select inhrelid::regclass into today from pg_inherits join pg_class on oid = inhrelid
            where inhparent = 'app.a'::regclass
              and pg_get_expr(relpartbound, oid) like 'FOR VALUES FROM (''' || current_date || '%';
            execute format('drop table %s', today);
        end $$
        """
    )
    assert ("headroom-low", "critical", "app.a") in findings(owner)


def test_a_set_that_begins_later_is_nobodys_worry(owner: Connection) -> None:
    owner.execute("create table app.later (created_at timestamptz not null) partition by range (created_at)")
    start = owner.execute("select (date_trunc('month', now()) + interval '2 months')::date::text").fetchone()
    assert start is not None
    create_parent(owner, "app.later", "1 month", p_premake=2, p_start_partition=start[0])
    owner.execute("update partman.part_config set infinite_time_partitions = true")
    owner.execute("call partwarden.maintain()")
    assert findings(owner) == set()


def test_an_id_set_that_was_not_maintained_in_time_is_found(owner: Connection) -> None:
    owner.execute("create table app.orders (id bigint primary key) partition by range (id)")
    create_parent(owner, "app.orders", "1000", p_control="id", p_premake=3, p_start_partition="0")
    owner.execute("call partwarden.maintain()")
    assert findings(owner) == set()
    owner.execute("insert into app.orders select generate_series(1, 3500)")
    assert findings(owner) == set()  # maintenance has just been round; the next one will see to it
    owner.execute("update partwarden.maintenance_run set finished_at = finished_at - interval '3 hours'")
    owner.execute(
        "update partman.part_config set premake = premake"
        if _is_4(owner)
        else "update partman.part_config set maintenance_last_run = now() - interval '3 hours'"
    )
    assert findings(owner) == {("headroom-low", "critical", "app.orders")}


def _is_4(connection: Connection) -> bool:
    return connection.execute(
        "select 1 from pg_extension where extname = 'pg_partman' and extversion like '4.%'"
    ).fetchone() == (1,)


def test_one_notification_opens_and_one_resolves(owner: Connection) -> None:
    daily_set(owner, "app.a")
    put_row_in_the_way(owner, "app.a")
    for _ in range(3):
        owner.execute("call partwarden.monitor()")
    owner.execute("delete from app.a where id = 999999")
    for _ in range(3):
        owner.execute("call partwarden.monitor()")
    subjects = [subject for subject, _ in notifications(owner)]
    assert len(subjects) == 2
    assert subjects[0].startswith("[partwarden] CRITICAL prod-eu/")
    assert subjects[1].startswith("[partwarden] RESOLVED prod-eu/")
    states = owner.execute("select check_id, resolved_at is not null from partwarden.incident").fetchall()
    assert sorted(states) == [("default-blocks-maintenance", True), ("default-not-empty", True)]


def test_a_reminder_comes_at_the_interval_and_not_before(owner: Connection) -> None:
    daily_set(owner, "app.a")
    put_row_in_the_way(owner, "app.a")
    owner.execute("call partwarden.monitor()")
    owner.execute("update partwarden.incident set last_announced_at = now() - interval '23 hours 59 minutes'")
    owner.execute("call partwarden.monitor()")
    assert len(notifications(owner)) == 1
    owner.execute("update partwarden.incident set last_announced_at = now() - interval '24 hours'")
    owner.execute("call partwarden.monitor()")
    owner.execute("call partwarden.monitor()")
    assert [subject.split()[1] for subject, _ in notifications(owner)] == ["CRITICAL", "REMINDER"]
    assert "STILL CRITICAL  app.a" in notifications(owner)[1][1]


def test_an_incident_that_gets_worse_is_told_again(owner: Connection) -> None:
    daily_set(owner, "app.a", premake=5)
    put_row_in_the_way(owner, "app.a")
    owner.execute("update partman.part_config set ignore_default_data = true")
    owner.execute("update app.a set created_at = created_at + interval '2 days'")  # not the very next partition
    owner.execute("call partwarden.monitor()")
    owner.execute("update app.a set created_at = created_at - interval '2 days'")
    owner.execute("call partwarden.monitor()")
    events = owner.execute("select event from partwarden.notification_incident order by notification_number").fetchall()
    assert events.count(("worsened",)) == 1
    assert "NOW CRITICAL  app.a  default-blocks-maintenance" in notifications(owner)[-1][1]


def test_a_message_says_what_where_since_when_why_and_what_next(owner: Connection, database: Database) -> None:
    daily_set(owner, "app.a")
    switch_repair_off(owner)
    put_row_in_the_way(owner, "app.a")
    want_one_more_partition(owner)
    with pytest.raises(psycopg.errors.DataException):
        owner.execute("call partwarden.maintain()")
    owner.execute("call partwarden.monitor()")
    subject, message = notifications(owner)[0]
    assert subject == f"[partwarden] CRITICAL prod-eu/{database.name}: app.a default-blocks-maintenance (+2 more)"
    for line in (
        "cluster   prod-eu",
        f"database  {database.name}",
        "CRITICAL  app.a  maintenance-stale",
        "  cause               updated partition constraint for default partition",
        "    call partwarden.drain('app.a');",
        "    call partwarden.maintain();",
    ):
        assert any(each.startswith(line) for each in message.splitlines()), (line, message)
    payload = owner.execute("select payload from partwarden.notification").fetchone()
    assert payload is not None
    assert [each["check"] for each in payload[0]["incidents"]] == [
        "default-blocks-maintenance",
        "maintenance-stale",
        "default-not-empty",
    ]


@pytest.mark.parametrize("name", ['Weird "Table", ünï', "two\nlines", "back\\slash"])
def test_hostile_names_are_told_of_whole(owner: Connection, name: str) -> None:
    daily_set(owner, f"app.{name}")
    put_row_in_the_way(owner, f"app.{name}")
    owner.execute("call partwarden.monitor()")
    payload = owner.execute("select payload from partwarden.notification").fetchone()
    assert payload is not None
    quoted = 'app."' + name.replace('"', '""') + '"'
    assert {each["object"] for each in payload[0]["incidents"]} == {quoted}


def test_two_monitors_at_once_tell_once(database: Database, owner: Connection) -> None:
    daily_set(owner, "app.a")
    put_row_in_the_way(owner, "app.a")

    def run() -> None:
        with psycopg.connect(database.owner_dsn, autocommit=True) as connection:
            connection.execute("call partwarden.monitor()")

    monitors = [threading.Thread(target=run) for _ in range(8)]
    for each in monitors:
        each.start()
    for each in monitors:
        each.join()
    assert len(notifications(owner)) == 1
    assert owner.execute("select count(*) from partwarden.incident").fetchone() == (2,)


def test_the_monitor_waits_for_a_maintenance_at_work(database: Database, owner: Connection) -> None:
    """Both often start in the same second; what counts is how things stand afterwards."""
    daily_set(owner, "app.a")
    switch_repair_off(owner)
    put_row_in_the_way(owner, "app.a")
    want_one_more_partition(owner)
    owner.execute("update partwarden.setting set lock_timeout = '30 seconds'")

    def call(procedure: str) -> None:
        with psycopg.connect(database.owner_dsn, autocommit=True) as connection, suppress(psycopg.errors.DataException):
            connection.execute(f"call partwarden.{procedure}()")

    maintain = threading.Thread(target=call, args=("maintain",))
    monitor = threading.Thread(target=call, args=("monitor",))
    with psycopg.connect(database.owner_dsn) as blocker:
        blocker.execute("lock table app.a in access exclusive mode")
        maintain.start()
        wait_until(lambda: waits(owner, "Lock"), "maintenance waits for the table")
        monitor.start()
        wait_until(lambda: waits(owner, "Timeout"), "the monitor waits for the maintenance")
        assert owner.execute("select count(*) from partwarden.incident").fetchone() == (0,)
    maintain.join()
    monitor.join()
    found = owner.execute("select check_id from partwarden.incident order by 1").fetchall()
    assert ("maintenance-stale",) in found


def waits(connection: Connection, kind: str) -> bool:
    row = connection.execute(
        "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = %s", (kind,)
    ).fetchone()
    return row is not None and row[0] > 0


def test_a_locked_default_partition_does_not_hold_the_monitor_up(database: Database, owner: Connection) -> None:
    daily_set(owner, "app.a")
    owner.execute("update partwarden.setting set lock_timeout = '200 milliseconds'")
    with psycopg.connect(database.owner_dsn) as blocker:
        blocker.execute("insert into app.a values (1, now() - interval '1 year')")
        blocker.commit()
        owner.execute("call partwarden.monitor()")
        blocker.execute("lock table app.a_default in access exclusive mode")
        started = time.monotonic()
        owner.execute("call partwarden.monitor()")
        assert time.monotonic() - started < 5
        skipped = owner.execute("select skipped from partwarden.monitor_state").fetchone()
        assert skipped is not None
        locked = "a default partition could not be looked into: another session has locked it"
        assert {"check": "default-not-empty", "reason": locked} in skipped[0]
        # What was found before is neither gone nor found again.
        still_open = owner.execute("select check_id from partwarden.incident where resolved_at is null").fetchall()
        assert still_open == [("default-not-empty",)]
    owner.execute("delete from app.a_default")
    owner.execute("call partwarden.monitor()")
    assert owner.execute("select count(*) from partwarden.incident where resolved_at is null").fetchone() == (0,)


def test_a_check_that_fails_is_itself_found_and_resolves_nothing(owner: Connection) -> None:
    daily_set(owner, "app.a")
    put_row_in_the_way(owner, "app.a")
    owner.execute("call partwarden.monitor()")
    broken = owner.execute("select pg_get_functiondef('partwarden.checks()'::regprocedure)").fetchone()
    assert broken is not None
    owner.execute(
        broken[0].replace(
            "'warning'                                                                      as severity,\n    waiting.name",
            "(1 / 0)::text as severity,\n    waiting.name",
        )
    )
    owner.execute("call partwarden.monitor()")
    still_open = owner.execute(
        "select check_id from partwarden.incident where resolved_at is null order by 1"
    ).fetchall()
    assert still_open == [("check-error",), ("default-blocks-maintenance",), ("default-not-empty",)]
    skipped = owner.execute("select skipped from partwarden.monitor_state").fetchone()
    assert skipped is not None
    assert {"check": "default-not-empty", "reason": "division by zero"} in skipped[0]


def test_what_cannot_be_looked_at_is_said(owner: Connection) -> None:
    owner.execute("call partwarden.monitor()")
    skipped = owner.execute("select skipped from partwarden.monitor_state").fetchone()
    assert skipped is not None
    reasons = {each["check"]: each["reason"] for each in skipped[0]}
    assert reasons["job-failed"] == "pg_cron is not in this database"
    assert reasons["lock-leaked"] == ("what other roles' sessions do is hidden: grant pg_read_all_stats to app_owner")
    assert "gap" not in reasons


def test_a_database_without_pg_partman_is_monitored_all_the_same(database: Database, owner: Connection) -> None:
    with database.connect() as superuser:
        superuser.execute("drop extension pg_partman cascade")
    owner.execute("call partwarden.monitor()")
    with pytest.raises(psycopg.errors.UndefinedObject, match="pg_partman is not installed"):
        owner.execute("call partwarden.maintain()")


def test_history_is_forgotten_after_its_time(owner: Connection) -> None:
    daily_set(owner, "app.a")
    owner.execute("call partwarden.maintain()")
    owner.execute("update partwarden.maintenance set started_at = now() - interval '91 days'")
    owner.execute(
        "insert into partwarden.incident (check_id, object, severity, summary, since, opened_at, last_announced_at, "
        "resolved_at) values ('x', 'y', 'warning', '', now(), now(), now(), now() - interval '91 days')"
    )
    owner.execute("call partwarden.maintain()")
    owner.execute("call partwarden.monitor()")
    assert owner.execute("select count(*) from partwarden.maintenance").fetchone() == (1,)
    assert owner.execute("select count(*) from partwarden.incident").fetchone() == (0,)


def test_checks_of_sets_that_take_long_are_done_less_often(owner: Connection) -> None:
    daily_set(owner, "app.a")
    put_row_in_the_way(owner, "app.a")
    owner.execute("call partwarden.monitor()")
    owner.execute("update partwarden.monitor_state set sets_took = '2 seconds'")
    owner.execute("delete from app.a_default")
    owner.execute("call partwarden.monitor()")
    still_open = "select count(*) from partwarden.incident where resolved_at is null"
    assert owner.execute(still_open).fetchone() == (2,)
    owner.execute("update partwarden.monitor_state set sets_looked_at = now() - interval '41 seconds'")
    owner.execute("call partwarden.monitor()")
    assert owner.execute(still_open).fetchone() == (0,)
