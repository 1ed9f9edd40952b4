"""The agent: from an outbox to real mail and HTTP servers, through outages, kills, and several agents at once."""

from __future__ import annotations

import hashlib
import hmac
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from partwarden.database import Connection
from tests.agents import (
    Log,
    agent,
    config_of,
    deliveries,
    incident,
    notify,
    pending,
    running,
    told_by_agents,
    wait_for_delivery,
)
from tests.receivers import Answer, HttpReceiver, MailReceiver, Request, http_receiver, mail_receiver
from tests.servers import Database
from tests.waiting import wait_until

pytestmark = pytest.mark.one_server

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def owner(database: Database) -> Iterator[Connection]:
    """The owner of a database that is told by agents."""
    with database.connect_owner() as connection:
        told_by_agents(connection)
        yield connection


@pytest.fixture
def mail() -> Iterator[MailReceiver]:
    with mail_receiver() as receiver:
        yield receiver


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpReceiver]:
    with http_receiver() as receiver:
        monkeypatch.setenv("HOOK_URL", f"{receiver.url}/s3cr3t-path")
        yield receiver


HOOK = {"name": "hook", "url": "env:HOOK_URL"}


def test_an_incident_becomes_one_mail_and_one_call_of_a_webhook(
    owner: Connection, database: Database, mail: MailReceiver, hook: HttpReceiver, tmp_path: Path
) -> None:
    config = config_of(tmp_path, [{"name": "mail", "url": mail.url("dba@example.com")}, HOOK], database)
    with running(config) as log:
        log.wait_for("connected")
        notify(owner, incident(owner))
        ((address, sent),) = mail.wait_for(1)
        (request,) = hook.wait_for(1)
        wait_for_delivery(owner)
    (row,) = owner.execute("select id::text, subject, message, payload from partwarden.notification").fetchall()
    number, subject, message, payload = row
    assert address == "dba@example.com"
    assert sent["Subject"] == subject == f"[partwarden] CRITICAL prod-eu/{database.name}: app.a gap"
    assert sent["X-Partwarden-Notification-Id"] == number
    assert sent.get_content_type() == "text/plain"
    assert message in sent.get_content().replace("\r\n", "\n")
    told = request.json
    assert request.headers["X-Partwarden-Notification-Id"] == told["notification_id"] == number
    assert told["incidents"] == payload["incidents"]
    assert (told["cluster"], told["database"], told["subject"]) == ("prod-eu", database.name, subject)
    assert told["message"].startswith(message)
    assert deliveries(owner) == [(1, "hook", 1, True, False, None), (1, "mail", 1, True, False, None)]


def test_a_notification_is_taken_as_soon_as_it_is_written(
    owner: Connection, database: Database, hook: HttpReceiver, tmp_path: Path
) -> None:
    with running(config_of(tmp_path, [HOOK], database), poll=60) as log:
        log.wait_for("connected")
        number = incident(owner)
        started = time.monotonic()
        notify(owner, number)
        hook.wait_for(1)
        assert time.monotonic() - started < 5


def test_a_receiver_that_is_down_is_told_when_it_is_up_again_in_order_and_holds_nobody_back(
    owner: Connection, database: Database, mail: MailReceiver, hook: HttpReceiver, tmp_path: Path
) -> None:
    hook.answer = lambda _: Answer(503)
    config = config_of(tmp_path, [{"name": "mail", "url": mail.url("dba@example.com")}, HOOK], database)
    first = incident(owner)
    with running(config) as log:
        notify(owner, first)
        notify(owner, first, event="resolved")
        assert [sent["Subject"].split()[1] for _, sent in mail.wait_for(2)] == ["CRITICAL", "RESOLVED"]
        log.wait_for("could not tell hook (attempt 2): the webhook answered 503 Service Unavailable")
        assert pending(owner) == 2
        hook.answer = lambda _: Answer()
        wait_for_delivery(owner)
    assert len(mail.mails) == 2, "a channel that has it is not told again because of another"
    by_event = [request.json["incidents"][0]["event"] for request in hook.requests]
    assert by_event == ["opened"] * (len(by_event) - 1) + ["resolved"]
    assert len({request.json["notification_id"] for request in hook.requests}) == 2


def test_a_slow_channel_holds_no_other_up(
    owner: Connection, database: Database, mail: MailReceiver, hook: HttpReceiver, tmp_path: Path
) -> None:
    go_on = threading.Event()

    def slowly(_: Request) -> Answer:
        go_on.wait(20)
        return Answer()

    hook.answer = slowly
    config = config_of(tmp_path, [HOOK, {"name": "mail", "url": mail.url("dba@example.com")}], database)
    with running(config):
        for _ in range(3):
            notify(owner, incident(owner, f"app.t{time.monotonic_ns()}"))
        mail.wait_for(3)
        assert len(hook.requests) == 1
        go_on.set()
        wait_for_delivery(owner)
    assert len(hook.requests) == 3


def test_what_is_refused_waits_long_and_lets_others_pass_and_is_tried_again_when_the_channel_takes_something(
    owner: Connection, database: Database, hook: HttpReceiver, tmp_path: Path
) -> None:
    hook.answer = lambda request: Answer(400 if b"poison" in request.body else 200)
    poisoned, other = incident(owner, "app.poison"), incident(owner, "app.b")
    with running(config_of(tmp_path, [HOOK], database)) as log:
        notify(owner, poisoned)
        log.wait_for(
            "could not tell hook (attempt 1): the webhook answered 400 Bad Request; see that its URL and its key"
        )
        ((pause,),) = owner.execute(
            "select next_attempt_at - now() > interval '14 minutes' from partwarden.delivery where refused"
        ).fetchall()
        assert pause
        notify(owner, other)
        wait_until(lambda: pending(owner) == 1, "the other one had passed")
        log.wait_for("could not tell hook (attempt 2)")
        hook.answer = lambda _: Answer()
        notify(owner, other, event="reminder")
        wait_for_delivery(owner)
    assert sorted(Counter(request.json["notification_id"] for request in hook.requests).values()) == [1, 1, 3]


def test_what_was_refused_is_tried_at_once_by_an_agent_that_begins(
    owner: Connection, database: Database, hook: HttpReceiver, tmp_path: Path
) -> None:
    hook.answer = lambda _: Answer(401)
    config = config_of(tmp_path, [HOOK], database)
    with running(config) as log:
        notify(owner, incident(owner))
        log.wait_for("could not tell hook (attempt 1): the webhook answered 401 Unauthorized")
    hook.answer = lambda _: Answer()
    with running(config):
        wait_for_delivery(owner)


def test_the_pause_between_attempts_doubles_and_a_receiver_may_ask_for_a_longer_one(
    owner: Connection, database: Database, hook: HttpReceiver, tmp_path: Path
) -> None:
    owner.execute("update partwarden.setting set retry_after = '10 minutes'")
    notify(owner, incident(owner))
    config = config_of(tmp_path, [HOOK], database)

    def pause() -> float:
        agent(config).once()
        row = owner.execute(
            "select extract(epoch from next_attempt_at - now())::float8 from partwarden.delivery"
        ).fetchone()
        assert row is not None
        owner.execute("update partwarden.delivery set next_attempt_at = now()")
        return float(row[0])

    hook.answer = lambda _: Answer(500)
    assert pause() == pytest.approx(600, abs=20)
    assert pause() == pytest.approx(900, abs=20)
    owner.execute("update partwarden.setting set retry_after = '1 second'")
    owner.execute("update partwarden.delivery set attempts = 0")
    hook.answer = lambda _: Answer(429, headers={"Retry-After": "300"})
    assert pause() == pytest.approx(300, abs=20)


def test_two_agents_at_one_outbox_tell_each_of_a_hundred_once(
    owner: Connection, database: Database, hook: HttpReceiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTHER_URL", f"{hook.url}/other")
    config = config_of(tmp_path, [HOOK, {"name": "other", "url": "env:OTHER_URL"}], database)
    for number in range(100):
        notify(owner, incident(owner, f"app.t{number}"))
    logs = Log(), Log()
    with running(config, logs[0], poll=0.05), running(config, logs[1], poll=0.05):
        wait_for_delivery(owner)
    told = Counter((request.path, request.json["notification_id"]) for request in hook.requests)
    assert len(told) == 200
    assert set(told.values()) == {1}
    for path in ("/s3cr3t-path", "/other"):
        order = [request.json["incidents"][0]["id"] for request in hook.requests if request.path == path]
        assert order == sorted(order)
    assert all("told" in log.text for log in logs), "both have had a share of it"


def test_an_agent_killed_between_sending_and_noting_tells_again_with_the_same_id(
    owner: Connection, database: Database, hook: HttpReceiver, tmp_path: Path
) -> None:
    owner.execute("update partwarden.setting set invoke_timeout = '1 second'")
    config_of(tmp_path, [HOOK], database)
    number = incident(owner)
    program = [sys.executable, "-m", "partwarden", "agent", "-c", str(tmp_path / "partwarden.yaml")]

    with subprocess.Popen(program, stderr=subprocess.PIPE, text=True) as process:

        def kill(_: Request) -> Answer:
            process.send_signal(signal.SIGKILL)
            process.wait()
            return Answer()

        hook.answer = kill
        notify(owner, number)
        hook.wait_for(1)
        process.wait(30)
    assert pending(owner) == 1
    hook.answer = lambda _: Answer()
    with running(config_of(tmp_path, [HOOK], database), poll=60):
        first, second = hook.wait_for(2)
        wait_for_delivery(owner)
    assert first.json["notification_id"] == second.json["notification_id"]
    assert (first.json["attempt"], second.json["attempt"]) == (1, 2)


def test_a_terminated_agent_finishes_what_it_is_sending(
    owner: Connection, database: Database, hook: HttpReceiver, tmp_path: Path
) -> None:
    config_of(tmp_path, [HOOK], database)
    program = [sys.executable, "-m", "partwarden", "agent", "-c", str(tmp_path / "partwarden.yaml")]
    with subprocess.Popen(program, stderr=subprocess.PIPE, text=True) as process:

        def terminate(_: Request) -> Answer:
            process.terminate()
            time.sleep(0.3)  # as long as a receiver may take
            return Answer()

        hook.answer = terminate
        notify(owner, incident(owner))
        notify(owner, incident(owner, "app.b"))
        _, said = process.communicate(timeout=60)
    assert process.returncode == 0
    assert len(hook.requests) == 1
    assert pending(owner) == 1
    assert "Traceback" not in said
    assert "comes to an end" in said
    assert [(number, delivered) for number, _, _, delivered, _, _ in deliveries(owner)] == [(1, True), (2, False)]


def test_a_lost_connection_is_made_again_and_nothing_is_told_twice(
    owner: Connection, database: Database, hook: HttpReceiver, tmp_path: Path
) -> None:
    with database.connect() as superuser, running(config_of(tmp_path, [HOOK], database)) as log:
        log.wait_for("connected")

        def cut(_: Request) -> Answer:
            superuser.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'partwarden' "
                "and datname = current_database()"
            )
            return Answer()

        hook.answer = cut
        notify(owner, incident(owner))
        log.wait_for("connected again")
        wait_for_delivery(owner)
        assert len(hook.requests) == 1


def test_once_tells_what_is_due_and_says_whether_all_went_out(
    owner: Connection, database: Database, hook: HttpReceiver, tmp_path: Path
) -> None:
    config = config_of(tmp_path, [HOOK], database)
    notify(owner, incident(owner))
    notify(owner, incident(owner, "app.b"))
    (tally,) = agent(config).once()
    assert (tally.told, tally.failed, tally.error) == (2, 0, None)
    hook.answer = lambda _: Answer(500)
    owner.execute("update partwarden.setting set retry_after = '1 minute'")
    notify(owner, incident(owner, "app.c"))
    (tally,) = agent(config).once()
    assert (tally.told, tally.failed, tally.is_well) == (0, 1, False)
    (tally,) = agent(config).once()  # in its pause nothing is tried, and nobody has heard of it either
    assert (tally.told, tally.failed, tally.is_well) == (0, 0, False)


def test_a_webhook_is_signed_with_the_key_that_is_given(
    owner: Connection, database: Database, hook: HttpReceiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK_KEY", "a key")
    notify(owner, incident(owner))
    agent(config_of(tmp_path, [{**HOOK, "signing_key": "env:HOOK_KEY"}], database)).once()
    (request,) = hook.requests
    signed = request.headers["X-Partwarden-Timestamp"].encode() + b"." + request.body
    expected = hmac.new(b"a key", signed, hashlib.sha256).hexdigest()
    assert request.headers["X-Partwarden-Signature"] == f"sha256={expected}"
    program: dict[str, Any] = {}
    exec((DOCS / "channels.md").read_text().split("```python\n")[1].split("```")[0], program)  # noqa: S102 - our own page
    signature = request.headers["X-Partwarden-Signature"]
    assert program["is_ours"](b"a key", request.headers["X-Partwarden-Timestamp"], request.body, signature)
    assert not program["is_ours"](b"a key", request.headers["X-Partwarden-Timestamp"], request.body + b" ", signature)


def test_an_addressee_who_is_refused_costs_the_others_nothing(
    owner: Connection, database: Database, mail: MailReceiver, tmp_path: Path
) -> None:
    mail.refuse = lambda address: "550 5.1.1 no such user" if address.startswith("gone@") else None
    url = mail.url("gone@example.com", "dba@example.com")
    with running(config_of(tmp_path, [{"name": "mail", "url": url}], database)) as log:
        notify(owner, incident(owner))
        log.wait_for("could not tell mail (attempt 1): E-Mail answered 550")
        owner.execute("update partwarden.delivery set next_attempt_at = now()")
        log.wait_for("could not tell mail (attempt 2)")
        mail.refuse = lambda _: None
        owner.execute("update partwarden.delivery set next_attempt_at = now()")
        wait_for_delivery(owner)
    assert Counter(address for address, _ in mail.mails) == {"dba@example.com": 1, "gone@example.com": 1}


def test_a_database_that_is_told_by_lambda_is_left_alone(
    owner: Connection, database: Database, hook: HttpReceiver, tmp_path: Path
) -> None:
    owner.execute("update partwarden.setting set delivered_by = 'aws_lambda'")
    notify(owner, incident(owner))
    with running(config_of(tmp_path, [HOOK], database)) as log:
        log.wait_for("nothing is delivered from here")
        owner.execute("update partwarden.setting set delivered_by = 'agent'")
        wait_for_delivery(owner)
    assert len(hook.requests) == 1


def test_a_notification_for_lambda_and_the_agent_is_delivered_when_both_have_it(
    owner: Connection, database: Database, hook: HttpReceiver, tmp_path: Path
) -> None:
    owner.execute("update partwarden.setting set delivered_by = 'both'")
    notify(owner, incident(owner))
    (tally,) = agent(config_of(tmp_path, [HOOK], database)).once()
    assert tally.told == 1
    assert pending(owner) == 1
    owner.execute(
        "create schema if not exists aws_lambda; "
        "update partwarden.notification set invoked_at = now(); select partwarden.settle_notification(1)"
    )
    assert pending(owner) == 0


def test_secrets_are_nowhere(
    owner: Connection,
    database: Database,
    hook: HttpReceiver,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("SLACK", "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#general")
    monkeypatch.setenv("MAIL", "mailto://user:p4ssw0rd-x@127.0.0.1:1?from=a@example.com&to=b@example.com&mode=insecure")
    monkeypatch.setenv("PAGER", f"pagerduty://0123456789abcdef0123456789abcdef?api={hook.url}")
    monkeypatch.setenv("GENIE", f"opsgenie://genie-key-0123456789?api={hook.url}")
    monkeypatch.setenv("WRONG", "nosuchthing://t0ken-t0ken-t0ken/x")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    secrets = (
        "TIiajkdnlazkcOXrIdevi7FQ",
        "p4ssw0rd-x",
        "0123456789abcdef",
        "genie-key-01234",
        "t0ken-t0ken",
        "s3cr3t-path",
    )
    hook.answer = lambda request: Answer(400, b'{"message": "bad key ' + request.body[:400].replace(b'"', b"'") + b'"}')
    channels = [
        {"name": name.lower(), "url": f"env:{name}"}
        for name in ("SLACK", "MAIL", "PAGER", "GENIE", "WRONG", "HOOK_URL")
    ]
    log = Log()
    owner.execute("update partwarden.setting set retry_after = '1 minute'")
    notify(owner, incident(owner))
    (tally,) = agent(config_of(tmp_path, channels, database), log).once()
    assert tally.failed == 6
    kept = owner.execute("select to_jsonb(delivery)::text from partwarden.delivery").fetchall()
    kept += owner.execute("select partwarden.given()::text").fetchall()
    heard = capfd.readouterr()
    for text in (log.text, heard.out, heard.err, *(row[0] for row in kept), repr(tally)):
        assert not [secret for secret in secrets if secret in text]
    assert all(row[5] for row in deliveries(owner))


PAGER = {"name": "pager", "url": "env:PAGER_URL", "severity": "critical"}


@pytest.fixture
def pager(monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpReceiver]:
    """Where PagerDuty's events arrive."""
    with http_receiver() as receiver:
        receiver.answer = lambda _: Answer(202)
        monkeypatch.setenv("PAGER_URL", f"pagerduty://a-key?api={receiver.url}")
        yield receiver


def events(pager: HttpReceiver) -> list[tuple[str, str]]:
    return [(request.json["event_action"], request.json["dedup_key"]) for request in pager.requests]


def test_each_channel_is_told_of_its_part_in_words_and_of_the_end_of_what_it_heard_of(
    owner: Connection, database: Database, hook: HttpReceiver, pager: HttpReceiver, tmp_path: Path
) -> None:
    bad, mild = incident(owner, "app.bad"), incident(owner, "app.mild", severity="warning")
    config = config_of(tmp_path, [{**HOOK, "sets": "app.mild"}, PAGER], database)
    notify(owner, bad, mild)
    agent(config).once()
    (mild_only,) = hook.requests
    assert mild_only.json["subject"] == f"[partwarden] WARNING prod-eu/{database.name}: app.mild gap"
    assert "app.bad" not in mild_only.json["message"]
    assert "WARNING  app.mild  gap" in mild_only.json["message"]
    assert mild_only.json["incident_count"] == 1
    owner.execute("update partwarden.incident set severity = 'warning'")
    notify(owner, bad, mild, event="resolved")
    agent(config).once()
    key = f"prod-eu/{database.name}/gap/app.bad/{bad}"
    assert events(pager) == [("trigger", key), ("resolve", key)]


def test_more_incidents_than_a_mail_holds_are_all_told_to_a_pager(
    owner: Connection, database: Database, hook: HttpReceiver, pager: HttpReceiver, tmp_path: Path
) -> None:
    numbers = [incident(owner, f"app.t{number:02}") for number in range(60)]
    notify(owner, *numbers)
    agent(config_of(tmp_path, [HOOK, PAGER], database)).once()
    assert len({key for _, key in events(pager)}) == 60
    (told,) = hook.requests
    assert len(told.json["incidents"]) == 60
    assert "... and 20 more" in told.json["message"]
    assert pending(owner) == 0


def test_a_pager_that_refused_the_beginning_and_took_the_end_is_not_told_of_the_beginning_afterwards(
    owner: Connection, database: Database, pager: HttpReceiver, tmp_path: Path
) -> None:
    number = incident(owner)
    config = config_of(tmp_path, [PAGER], database)
    pager.answer = lambda request: Answer(400 if request.json["event_action"] == "trigger" else 202)
    notify(owner, number)
    agent(config).once()
    notify(owner, number, event="resolved")
    agent(config).once()
    wait_for_delivery(owner)
    assert [action for action, _ in events(pager)] == ["trigger", "resolve"]


def test_who_was_told_of_the_beginning_is_told_of_the_end_though_both_are_written_before_an_agent_comes(
    owner: Connection, database: Database, pager: HttpReceiver, tmp_path: Path
) -> None:
    number = incident(owner)
    notify(owner, number)
    owner.execute("update partwarden.incident set severity = 'warning'")
    notify(owner, number, event="resolved")
    agent(config_of(tmp_path, [{**PAGER, "severity": "critical"}], database)).once()
    assert [action for action, _ in events(pager)] == ["trigger", "resolve"]


def told(hook: HttpReceiver) -> list[tuple[str, str]]:
    """Event and object, in order."""
    return [(each["event"], each["object"]) for request in hook.requests for each in request.json["incidents"]]


def test_an_agent_that_is_switched_on_tells_of_no_old_news(
    owner: Connection, database: Database, hook: HttpReceiver, tmp_path: Path
) -> None:
    over, still_open = (incident(owner, name) for name in ("app.over", "app.still_open"))
    for event, which in (("opened", over), ("opened", still_open), ("resolved", over), ("reminder", still_open)):
        notify(owner, which, event=event)
    owner.execute("update partwarden.notification set created_at = created_at - interval '1 month'")
    notify(owner, incident(owner, "app.new"))
    with running(config_of(tmp_path, [HOOK], database)):
        wait_for_delivery(owner)
    assert told(hook) == [("opened", "app.still_open"), ("opened", "app.new")]
    assert owner.execute(
        "select number from partwarden.notification where last_error like 'sent to nobody%' order by number"
    ).fetchall() == [(1,), (3,), (4,)]


def test_what_came_and_went_while_the_agent_was_away_is_told(
    owner: Connection, database: Database, hook: HttpReceiver, tmp_path: Path
) -> None:
    config = config_of(tmp_path, [HOOK], database)
    notify(owner, incident(owner, "app.first"))
    with running(config):
        wait_for_delivery(owner)
    away = incident(owner, "app.away")
    for event in ("opened", "resolved"):
        notify(owner, away, event=event)
    owner.execute("update partwarden.notification set created_at = created_at - interval '1 month'")
    with running(config):
        wait_for_delivery(owner)
    assert told(hook) == [("opened", "app.first"), ("opened", "app.away"), ("resolved", "app.away")]


def test_an_agent_without_channels_settles_nothing(owner: Connection, database: Database, tmp_path: Path) -> None:
    notify(owner, incident(owner))
    agent(config_of(tmp_path, [], database, scheduler="agent")).once()
    assert pending(owner) == 1


def test_what_a_pager_has_taken_is_not_sent_again_when_the_rest_is(
    owner: Connection, database: Database, pager: HttpReceiver, tmp_path: Path
) -> None:
    notify(owner, *(incident(owner, f"app.t{number:02}") for number in range(6)))
    pager.answer = lambda _: Answer(202 if len(pager.requests) <= 4 else 429)
    with running(config_of(tmp_path, [PAGER], database)):
        pager.wait_for(5)
        wait_until(lambda: deliveries(owner)[0][5] is not None, "the failure is written down")
        pager.answer = lambda _: Answer(202)
        owner.execute("update partwarden.delivery set next_attempt_at = now()")
        wait_for_delivery(owner)
    sent = Counter(key for _, key in events(pager))
    assert list(sent.values())[:4] == [1, 1, 1, 1]
    assert len(sent) == 6
    assert pending(owner) == 0


def test_an_incident_that_a_pager_refuses_costs_the_others_nothing(
    owner: Connection, database: Database, pager: HttpReceiver, tmp_path: Path
) -> None:
    notify(owner, *(incident(owner, f"app.{letter}") for letter in "abc"))
    pager.answer = lambda request: Answer(400 if "app.b" in request.json["dedup_key"] else 202)
    agent(config_of(tmp_path, [PAGER], database)).once()
    assert len(pager.requests) == 3
    assert pending(owner) == 1


def test_a_message_that_fails_for_an_hour_holds_nobody_up_any_longer(
    owner: Connection, database: Database, hook: HttpReceiver, tmp_path: Path
) -> None:
    notify(owner, incident(owner, "app.poison"))
    notify(owner, incident(owner, "app.well"))
    hook.answer = lambda request: Answer(500 if b"app.poison" in request.body else 200)
    config = config_of(tmp_path, [HOOK], database)
    agent(config).once()
    owner.execute("update partwarden.delivery set attempts = 9, next_attempt_at = now() where attempts > 0")
    owner.execute("update partwarden.notification set created_at = created_at - interval '2 hours'")
    agent(config).once()
    agent(config).once()
    assert any(b"app.well" in request.body for request in hook.requests)
    assert [(done, refused) for _, _, _, done, refused, _ in deliveries(owner)] == [(False, True), (True, False)]


def test_what_was_delivered_by_lambda_meanwhile_is_not_sent_again(
    owner: Connection, database: Database, hook: HttpReceiver, tmp_path: Path
) -> None:
    owner.execute("update partwarden.setting set delivered_by = 'both'")
    number = notify(owner, incident(owner))
    hook.answer = lambda _: Answer(503)
    config = config_of(tmp_path, [HOOK], database)
    agent(config).once()
    tried = len(hook.requests)
    owner.execute("update partwarden.notification set invoked_at = now() where number = %s", (number,))
    owner.execute("update partwarden.setting set delivered_by = 'aws_lambda'")
    owner.execute("select partwarden.settle_notifications()")
    assert pending(owner) == 0
    owner.execute("update partwarden.setting set delivered_by = 'agent'")
    owner.execute("update partwarden.delivery set next_attempt_at = now()")
    hook.answer = lambda _: Answer()
    agent(config).once()
    assert len(hook.requests) == tried
