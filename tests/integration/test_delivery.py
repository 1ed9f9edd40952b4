"""From a finding to an e-mail, through a real Lambda function and SNS, and what happens when the way is broken."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from partwarden.database import Connection
from partwarden.install import install
from partwarden.local.aws import AlertPath, LocalAws
from partwarden.local.cluster import free_port
from partwarden.local.mailbox import Mailbox
from tests.agents import agent, config_of
from tests.partition_sets import daily_set, put_row_in_the_way
from tests.receivers import http_receiver
from tests.servers import Database, with_application_name
from tests.waiting import wait_until

pytestmark = pytest.mark.one_server


@pytest.fixture
def owner(database: Database, local_aws: LocalAws, alert_path: AlertPath) -> Iterator[Connection]:
    """The owner of a database that has partwarden and may invoke the function."""
    database.server.write_aws_credentials(alert_path.database_access_key, alert_path.database_secret_key)
    database.point_to_lambda(local_aws.endpoint)
    with database.connect_owner() as connection:
        install(connection, cluster="prod-eu")
        connection.execute("create schema app")
        connection.execute("update partwarden.setting set retry_after = '0 seconds', invoke_timeout = '3 seconds'")
        yield connection


def monitor(database: Database, path: AlertPath, *, name: str = "monitor") -> None:
    """One run of the monitor in a session of its own, as pg_cron starts it."""
    with psycopg.connect(with_application_name(database.owner_dsn, name), autocommit=True) as session:
        session.execute(sql.SQL("call partwarden.monitor({}, {})").format(path.lambda_arn, path.topic_arn))


def due_again(owner: Connection) -> None:
    """Let the pause after a failed attempt be over."""
    owner.execute("update partwarden.notification set next_attempt_at = clock_timestamp() where delivered_at is null")


def broken_set(owner: Connection, name: str = "app.a") -> None:
    daily_set(owner, name)
    put_row_in_the_way(owner, name)


def mails_of(mailbox: Mailbox, database: Database, *, at_least: int = 0) -> list[EmailMessage]:
    """The mails about this database that have arrived; so many are waited for, since a topic hands over at its leisure."""
    where = f"database  {database.name}\n"

    def mails() -> list[EmailMessage]:
        return [mail for mail in mailbox.mails() if where in mail.get_content()]

    wait_until(lambda: len(mails()) >= at_least, f"{at_least} mails had arrived")
    return mails()


def states(owner: Connection) -> list[tuple[int, bool, str | None]]:
    rows = owner.execute(
        "select attempts, delivered_at is not null, last_error from partwarden.notification order by number"
    ).fetchall()
    return [(int(attempts), bool(delivered), error) for attempts, delivered, error in rows]


def test_a_broken_set_becomes_one_mail_and_its_repair_another(
    owner: Connection, database: Database, alert_path: AlertPath, mailbox: Mailbox
) -> None:
    broken_set(owner)
    for _ in range(3):
        monitor(database, alert_path)
    owner.execute("delete from app.a where id = 999999")
    for _ in range(3):
        monitor(database, alert_path)
    opened, resolved = mails_of(mailbox, database, at_least=2)
    assert opened["Subject"].startswith(f"[partwarden] CRITICAL prod-eu/{database.name}: app.a")
    assert resolved["Subject"].startswith(f"[partwarden] RESOLVED prod-eu/{database.name}: app.a")
    told = owner.execute(
        "select id::text, receipt -> 'payload' ->> 'message_id' from partwarden.notification"
    ).fetchall()
    assert {mail["X-Partwarden-Notification-Id"] for mail in (opened, resolved)} == {row[0] for row in told}
    assert all(row[1] for row in told)
    assert states(owner) == [(1, True, None), (1, True, None)]


@pytest.mark.parametrize("name", ['Weird "Table", ünï', "two\nlines", "back\\slash"])
def test_hostile_names_arrive_whole(
    owner: Connection, database: Database, alert_path: AlertPath, mailbox: Mailbox, name: str
) -> None:
    broken_set(owner, f"app.{name}")
    monitor(database, alert_path)
    (mail,) = mails_of(mailbox, database, at_least=1)
    quoted = 'app."' + name.replace('"', '""') + '"'
    assert f"CRITICAL  {quoted}  default-blocks-maintenance" in mail.get_content()
    assert mail["Subject"].isascii()
    assert "\n" not in mail["Subject"]


def test_lambda_down_for_three_runs_and_then_up_is_one_mail(
    owner: Connection, database: Database, local_aws: LocalAws, alert_path: AlertPath, mailbox: Mailbox
) -> None:
    broken_set(owner)
    database.point_to_lambda(f"http://127.0.0.1:{free_port()}")
    for run in range(1, 4):
        with pytest.raises(psycopg.errors.ExternalRoutineInvocationException, match="could not be delivered"):
            monitor(database, alert_path)
        ((attempts, delivered, error),) = states(owner)
        assert (attempts, delivered) == (run, False)
        assert error is not None
        assert "invoke API failed" in error
        due_again(owner)
    assert owner.execute("select count(*) from partwarden.incident").fetchone() == (2,)
    assert mails_of(mailbox, database) == []

    database.point_to_lambda(local_aws.endpoint)
    monitor(database, alert_path)

    (mail,) = mails_of(mailbox, database, at_least=1)
    assert "attempt 4" in mail.get_content()
    assert states(owner) == [(4, True, None)]


def test_nothing_is_lost_and_all_comes_in_order_after_a_long_outage(
    owner: Connection, database: Database, local_aws: LocalAws, alert_path: AlertPath, mailbox: Mailbox
) -> None:
    broken_set(owner)
    database.point_to_lambda(f"http://127.0.0.1:{free_port()}")
    with pytest.raises(psycopg.Error):
        monitor(database, alert_path)
    owner.execute("delete from app.a where id = 999999")
    with suppress(psycopg.errors.ExternalRoutineInvocationException):
        monitor(database, alert_path)
    due_again(owner)
    database.point_to_lambda(local_aws.endpoint)
    monitor(database, alert_path)
    assert [mail["Subject"].split()[1] for mail in mails_of(mailbox, database, at_least=2)] == ["CRITICAL", "RESOLVED"]


def test_the_pause_between_attempts_doubles_and_is_kept(
    owner: Connection, database: Database, alert_path: AlertPath
) -> None:
    broken_set(owner)
    owner.execute("update partwarden.setting set retry_after = '1 minute'")
    database.point_to_lambda(f"http://127.0.0.1:{free_port()}")
    pauses = []
    for _ in range(3):
        with pytest.raises(psycopg.Error):
            monitor(database, alert_path)
        row = owner.execute(
            "select round(extract(epoch from next_attempt_at - clock_timestamp()) / 60)::int from partwarden.notification"
        ).fetchone()
        assert row is not None
        pauses.append(row[0])
        monitor(database, alert_path)  # not due: nothing is attempted, and nothing is wrong
        due_again(owner)
    assert pauses == [1, 2, 4]
    assert [attempts for attempts, _, _ in states(owner)] == [3]


def test_a_function_that_fails_leaves_the_notification_pending_with_its_error(
    owner: Connection, database: Database, alert_path: AlertPath, mailbox: Mailbox
) -> None:
    broken_set(owner)
    elsewhere = AlertPath(
        alert_path.lambda_arn,
        alert_path.topic_arn + "-of-somebody-else",
        alert_path.database_access_key,
        alert_path.database_secret_key,
    )
    with pytest.raises(psycopg.errors.ExternalRoutineInvocationException):
        monitor(database, elsewhere)
    ((_, delivered, error),) = states(owner)
    assert not delivered
    assert error is not None
    assert "lambda invocation failed" in error
    assert "sns:Publish" in error
    due_again(owner)
    monitor(database, alert_path)  # the job has been corrected
    assert len(mails_of(mailbox, database, at_least=1)) == 1


def test_without_the_extension_findings_are_kept_and_the_error_says_what_to_do(
    owner: Connection, database: Database, alert_path: AlertPath
) -> None:
    with database.connect() as superuser:
        superuser.execute("drop schema aws_lambda cascade")
    broken_set(owner)
    with pytest.raises(psycopg.errors.ExternalRoutineInvocationException, match="aws_lambda is not installed"):
        monitor(database, alert_path)
    assert owner.execute("select count(*) from partwarden.incident where resolved_at is null").fetchone() == (2,)


def test_two_monitors_at_once_send_one_mail(
    owner: Connection, database: Database, alert_path: AlertPath, mailbox: Mailbox
) -> None:
    broken_set(owner)
    monitors = [threading.Thread(target=monitor, args=(database, alert_path)) for _ in range(6)]
    for each in monitors:
        each.start()
    for each in monitors:
        each.join()
    assert len(mails_of(mailbox, database, at_least=1)) == 1
    assert states(owner) == [(1, True, None)]


def test_a_monitor_killed_between_commit_and_delivery_loses_nothing(
    owner: Connection, database: Database, local_aws: LocalAws, alert_path: AlertPath, mailbox: Mailbox
) -> None:
    broken_set(owner)
    with silent_endpoint() as endpoint:
        database.point_to_lambda(endpoint)
        kill_the_monitor_when(database, owner, alert_path, lambda: states(owner) == [(1, False, None)])
    database.point_to_lambda(local_aws.endpoint)
    monitor(database, alert_path)  # the pause of the attempt that was killed is not over yet
    assert mails_of(mailbox, database) == []
    due_again(owner)
    monitor(database, alert_path)
    assert len(mails_of(mailbox, database, at_least=1)) == 1
    assert states(owner) == [(2, True, None)]


def test_a_monitor_killed_after_the_mail_went_out_sends_no_second_one(
    owner: Connection, database: Database, local_aws: LocalAws, alert_path: AlertPath, mailbox: Mailbox
) -> None:
    """The answer never reaches the database, so it has to try again; the function knows the notification's id."""
    broken_set(owner)
    with swallowing_proxy(local_aws.endpoint) as endpoint:
        database.point_to_lambda(endpoint)
        kill_the_monitor_when(database, owner, alert_path, lambda: len(mails_of(mailbox, database)) == 1)
    database.point_to_lambda(local_aws.endpoint)
    due_again(owner)
    monitor(database, alert_path)
    assert states(owner) == [(2, True, None)]
    assert owner.execute("select receipt -> 'payload' ->> 'repeat' from partwarden.notification").fetchone() == (
        "true",
    )
    assert len(mails_of(mailbox, database, at_least=1)) == 1


def test_the_articles_command_sends_the_mail(
    owner: Connection, database: Database, alert_path: AlertPath, mailbox: Mailbox
) -> None:
    broken_set(owner)
    with database.connect_owner() as session:
        session.execute(
            sql.SQL(" call send_cron_job_failures ({},{}); ").format(alert_path.lambda_arn, alert_path.topic_arn)
        )
    assert len(mails_of(mailbox, database, at_least=1)) == 1


def kill_the_monitor_when(database: Database, owner: Connection, path: AlertPath, reached: object) -> None:
    """Run the monitor, and end its backend as soon as ``reached()`` holds, while it waits for Lambda's answer."""
    killed = threading.Event()

    def run() -> None:
        try:
            monitor(database, path, name="victim")
        except psycopg.OperationalError:
            killed.set()

    assert callable(reached)
    owner.execute("update partwarden.setting set invoke_timeout = '60 seconds'")
    victim = threading.Thread(target=run)
    victim.start()
    wait_until(reached, "the monitor has come as far as it should")
    owner.execute("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'victim'")
    victim.join()
    owner.execute("update partwarden.setting set invoke_timeout = '3 seconds'")
    assert killed.is_set()


@contextmanager
def silent_endpoint() -> Iterator[str]:
    """An endpoint that takes the call and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@contextmanager
def swallowing_proxy(endpoint: str) -> Iterator[str]:
    """A way to the endpoint that lets every call through and no answer back."""
    host, _, port = endpoint.removeprefix("http://").partition(":")
    open_connections: list[socket.socket] = []

    def serve(listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                incoming, _ = listener.accept()
                outgoing = socket.create_connection((host, int(port)))
                open_connections.extend((incoming, outgoing))
                while chunk := incoming.recv(65536):
                    outgoing.sendall(chunk)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
    for each in open_connections:
        each.close()
    thread.join()


def test_the_function_and_an_agent_tell_each_for_themselves_and_an_agent_alone_leaves_the_function_out(
    owner: Connection,
    database: Database,
    alert_path: AlertPath,
    mailbox: Mailbox,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broken_set(owner)
    with http_receiver() as hook:
        monkeypatch.setenv("HOOK_URL", hook.url)
        by_agent = agent(config_of(tmp_path, [{"name": "hook", "url": "env:HOOK_URL"}], database))
        owner.execute("update partwarden.setting set delivered_by = 'both'")
        monitor(database, alert_path)
        mails_of(mailbox, database, at_least=1)
        assert states(owner) == [(1, False, None)], "the agent has still to tell of it"
        by_agent.once()
        assert states(owner) == [(1, True, None)]

        owner.execute("update partwarden.setting set delivered_by = 'agent'")
        owner.execute("delete from app.a where id = 999999")
        monitor(database, alert_path)
        assert states(owner)[1] == (0, False, None)
        by_agent = agent(config_of(tmp_path, [{"name": "hook", "url": "env:HOOK_URL"}], database))
        by_agent.once()
        assert states(owner)[1] == (0, True, None)
        assert [request.json["incidents"][0]["event"] for request in hook.requests] == ["opened", "resolved"]
    assert len(mails_of(mailbox, database)) == 1
    assert owner.execute("select last_error from partwarden.heartbeat").fetchone() == (None,)
