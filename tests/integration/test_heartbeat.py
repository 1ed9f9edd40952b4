"""The monitor's heartbeat: through the real function once a minute, and never in the monitor's way."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import boto3
import psycopg
import pytest
from psycopg import sql

from partwarden.database import Connection
from partwarden.install import install
from partwarden.local.aws import AlertPath, LocalAws
from partwarden.local.cluster import free_port
from tests.partition_sets import daily_set, put_row_in_the_way
from tests.servers import MAJORS, Database
from tests.waiting import wait_until

on_one_server = pytest.mark.parametrize("server", MAJORS[:1], indirect=True)  # what no server does in a way of its own


@pytest.fixture
def owner(database: Database, local_aws: LocalAws, alert_path: AlertPath) -> Iterator[Connection]:
    """The owner of a database that has partwarden and may invoke the function."""
    database.server.write_aws_credentials(alert_path.database_access_key, alert_path.database_secret_key)
    database.point_to_lambda(local_aws.endpoint)
    with database.connect_owner() as connection:
        install(connection, cluster="prod-eu")
        connection.execute("update partwarden.setting set retry_after = '0 seconds'")
        yield connection


def monitor(database: Database, path: AlertPath | None) -> None:
    """One run of the monitor in a session of its own, as pg_cron starts it."""
    with psycopg.connect(database.owner_dsn, autocommit=True) as session:
        if path is None:
            session.execute("call partwarden.monitor()")
        else:
            session.execute(sql.SQL("call partwarden.monitor({}, {})").format(path.lambda_arn, path.topic_arn))


def a_minute_later(owner: Connection) -> None:
    owner.execute("update partwarden.heartbeat set last_tried_at = last_tried_at - interval '1 minute'")


def state(owner: Connection) -> tuple[bool, bool, str | None]:
    """Whether one was tried, whether one was sent, and the error."""
    row = owner.execute(
        "select last_tried_at is not null, last_heartbeat is not null, last_error from partwarden.heartbeat"
    ).fetchone()
    assert row is not None
    return bool(row[0]), bool(row[1]), row[2]


def noted(aws: LocalAws, path: AlertPath, database: Database) -> list[dict[str, Any]]:
    """The heartbeats of this database in the function's log, which the function's first line makes."""
    logs = boto3.client(
        "logs",
        endpoint_url=aws.endpoint,
        region_name="us-east-1",
        aws_access_key_id="000000000000",
        aws_secret_access_key="local",
    )
    group = "/aws/lambda/" + path.lambda_arn.rpartition(":")[2]
    lines = []
    try:
        for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group):
            lines += [json.loads(event["message"]) for event in page["events"] if event["message"].startswith("{")]
    except logs.exceptions.ResourceNotFoundException:
        return []
    return [line for line in lines if line["event"] == "heartbeat" and line["database"] == database.name]


def test_a_heartbeat_is_sent_once_a_minute(
    owner: Connection, database: Database, local_aws: LocalAws, alert_path: AlertPath
) -> None:
    owner.execute(
        "select pg_sleep(60.2 - extract(second from clock_timestamp())) "
        "where extract(second from clock_timestamp()) > 55"
    )  # one minute of the clock for all of this
    for _ in range(3):
        monitor(database, alert_path)
    assert state(owner) == (True, True, None)
    wait_until(lambda: noted(local_aws, alert_path, database), "the heartbeat is in the log", seconds=20)
    a_minute_later(owner)
    monitor(database, alert_path)
    wait_until(lambda: len(noted(local_aws, alert_path, database)) == 2, "the second one is", seconds=20)
    lines = noted(local_aws, alert_path, database)
    assert [(line["outcome"], line["cluster"]) for line in lines] == [("noted", "prod-eu")] * 2
    sent = owner.execute("select last_heartbeat from partwarden.heartbeat").fetchone()
    assert sent is not None
    at = owner.execute("select %s::timestamptz", (lines[-1]["at"],)).fetchone()
    assert at == sent


@on_one_server
def test_a_monitor_that_tells_nobody_sends_none_nor_does_one_that_is_told_not_to(
    owner: Connection, database: Database, alert_path: AlertPath
) -> None:
    monitor(database, None)
    assert state(owner) == (False, False, None)
    owner.execute("update partwarden.setting set heartbeat = false")
    monitor(database, alert_path)
    assert state(owner) == (False, False, None)


def test_lambda_out_of_reach_is_written_down_and_does_not_break_the_monitor(
    owner: Connection, database: Database, local_aws: LocalAws, alert_path: AlertPath
) -> None:
    monitor(database, alert_path)
    before = owner.execute("select last_heartbeat from partwarden.heartbeat").fetchone()
    a_minute_later(owner)
    database.point_to_lambda(f"http://127.0.0.1:{free_port()}")
    monitor(database, alert_path)
    _, _, error = state(owner)
    assert error is not None
    assert "invoke API failed" in error
    assert owner.execute("select last_heartbeat from partwarden.heartbeat").fetchone() == before
    monitor(database, alert_path)  # within the minute it is not tried again
    database.point_to_lambda(local_aws.endpoint)
    a_minute_later(owner)
    monitor(database, alert_path)
    assert state(owner) == (True, True, None)


@on_one_server
def test_a_role_that_may_no_longer_invoke_is_written_down_without_its_secret(
    owner: Connection, database: Database, alert_path: AlertPath
) -> None:
    database.server.write_aws_credentials(alert_path.database_access_key, "not-its-secret-0123456789")
    monitor(database, alert_path)
    tried, sent, error = state(owner)
    assert (tried, sent) == (True, False)
    assert error is not None
    assert "signature" in error
    assert "not-its-secret" not in error


def test_a_revoked_right_is_written_down_and_does_not_break_the_monitor(
    owner: Connection, database: Database, alert_path: AlertPath
) -> None:
    with database.connect() as superuser:
        superuser.execute("revoke all on schema aws_lambda from public, app_owner")
        superuser.execute("revoke all on all functions in schema aws_lambda from app_owner")
    monitor(database, alert_path)
    tried, sent, error = state(owner)
    assert (tried, sent) == (True, False)
    assert error is not None
    assert "permission denied" in error


@on_one_server
def test_without_the_extension_it_says_so(owner: Connection, database: Database, alert_path: AlertPath) -> None:
    with database.connect() as superuser:
        superuser.execute("drop schema aws_lambda cascade")
    monitor(database, alert_path)
    assert state(owner) == (True, False, f"the extension aws_lambda is not installed in database {database.name}")


def test_no_heartbeat_while_an_alert_cannot_be_delivered(
    owner: Connection, database: Database, local_aws: LocalAws, alert_path: AlertPath
) -> None:
    owner.execute("create schema app")
    daily_set(owner, "app.a")
    put_row_in_the_way(owner, "app.a")
    wrong = AlertPath(alert_path.lambda_arn, alert_path.topic_arn + "-of-somebody-else", "", "")
    with pytest.raises(psycopg.errors.ExternalRoutineInvocationException, match="could not be delivered"):
        monitor(database, wrong)
    tried, sent, error = state(owner)
    assert (tried, sent) == (True, False)
    assert error is not None
    assert error.startswith("withheld, since notification 1 can't be delivered: lambda invocation failed")
    a_minute_later(owner)
    owner.execute("update partwarden.notification set next_attempt_at = now() + interval '1 hour'")
    monitor(database, wrong)  # nothing is due, so that nothing fails; but it has not been delivered
    assert state(owner)[1] is False

    owner.execute("update partwarden.notification set next_attempt_at = now()")
    a_minute_later(owner)
    monitor(database, alert_path)
    assert state(owner) == (True, True, None)


@on_one_server
def test_the_function_is_not_waited_for_and_lambda_five_seconds_at_most(
    owner: Connection, database: Database, alert_path: AlertPath
) -> None:
    with database.connect() as superuser:
        superuser.execute(
            "create or replace function aws_lambda._invoke(function_name text, payload text, region text, "
            "invocation_type text, log_type text, context text, qualifier text, out status_code int, out result text, "
            "out executed_version text, out log_result text) language plpgsql as $$ begin "
            "if invocation_type <> 'Event' then raise 'the monitor waits'; end if; "
            "raise 'patience %', current_setting('aws_lambda.request_timeout_ms'); end $$"
        )
    monitor(database, alert_path)
    assert state(owner)[2] == "patience 5000"


def test_of_two_monitors_at_once_one_sends_and_neither_waits(
    owner: Connection, database: Database, alert_path: AlertPath
) -> None:
    with database.connect_owner() as other:
        other.autocommit = False
        other.execute("select from partwarden.heartbeat for update")
        started = time.monotonic()
        monitor(database, alert_path)
        assert time.monotonic() - started < 4
        other.rollback()
    assert state(owner) == (False, False, None)


def test_a_locked_table_does_not_hold_the_monitor_up_for_long(
    owner: Connection, database: Database, alert_path: AlertPath
) -> None:
    owner.execute("update partwarden.setting set lock_timeout = '200 milliseconds'")
    locked, release = threading.Event(), threading.Event()

    def hold() -> None:
        with database.connect_owner() as other:
            other.autocommit = False
            other.execute("lock table partwarden.heartbeat in access exclusive mode")
            locked.set()
            release.wait(30)

    holder = threading.Thread(target=hold)
    holder.start()
    try:
        assert locked.wait(10)
        monitor(database, alert_path)
    finally:
        release.set()
        holder.join()
    assert state(owner) == (False, False, None)


@on_one_server
def test_an_upgrade_brings_the_heartbeat_and_keeps_the_settings(database: Database) -> None:
    with database.connect_owner() as owner:
        install(owner)
        assert owner.execute("select heartbeat from partwarden.setting").fetchone() == (True,)
        assert owner.execute("select count(*) from partwarden.heartbeat").fetchone() == (1,)
