"""What Slack, Teams, PagerDuty, Opsgenie and mail servers get, on real servers of our own that speak as they do."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from partwarden.channels.channel import Channel
from partwarden.channels.message import Message, Told
from partwarden.config import Channel as Described
from partwarden.errors import ChannelFailed
from tests.aws.authority import Authority
from tests.receivers import Answer, HttpReceiver, http_receiver, mail_receiver

HOSTILE = 'app."<script>alert(1)</script> <!channel> <at>all</at> [x](http://e) \r\nBcc: evil@example.com"'


@pytest.fixture
def receiver() -> Iterator[HttpReceiver]:
    with http_receiver() as running:
        yield running


def told(number: int = 7, *, event: str = "opened", severity: str = "critical", name: str = "app.a") -> Told:
    return Told.read(
        {
            "id": number,
            "event": event,
            "check": "gap",
            "severity": severity,
            "database": "app",
            "object": name,
            "summary": f"{name} has a gap",
            "detail": {"cause": "a partition was dropped", "from": "2026-01-01"},
            "remedy": "select partman.partition_gap_fill('app.a');",
            "since": "2026-01-01T00:00:00+00:00",
        }
    )


def message(*incidents: Told, overtaken: tuple[int, ...] = (), attempt: int = 1) -> Message:
    name = incidents[0].object
    return Message(
        "1b4e28ba-2fa1-11d2-883f-0016d3cca427",
        attempt,
        "prod-eu",
        "app",
        f"[partwarden] CRITICAL prod-eu/app: {name} gap",
        f"CRITICAL  {name}  gap\n  what  {name} has a gap",
        incidents,
        frozenset(overtaken),
    )


def send(url: str, sent: Message, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHANNEL_URL", url)
    Channel(Described(name="it", url="env:CHANNEL_URL")).send(sent, timeout=5)


def test_pagerduty_is_told_of_each_incident_and_of_its_end_by_one_key(
    receiver: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"pagerduty://THE-INTEGRATION-KEY?api={receiver.url}&group=dbas"
    send(url, message(told(1), told(2, severity="warning", name="app.b")), monkeypatch)
    send(
        url,
        message(told(1, event="resolved"), told(2, event="reminder", severity="warning", name="app.b")),
        monkeypatch,
    )
    assert {request.path for request in receiver.requests} == {"/v2/enqueue"}
    events = [request.json for request in receiver.requests]
    assert [(each["event_action"], each["dedup_key"]) for each in events] == [
        ("trigger", "prod-eu/app/gap/app.a/1"),
        ("trigger", "prod-eu/app/gap/app.b/2"),
        ("resolve", "prod-eu/app/gap/app.a/1"),
        ("trigger", "prod-eu/app/gap/app.b/2"),
    ]
    first = events[0]["payload"]
    assert (first["summary"], first["severity"], first["source"]) == ("app.a has a gap", "critical", "prod-eu/app")
    assert (first["component"], first["class"], first["group"]) == ("app.a", "gap", "dbas")
    assert first["custom_details"]["cause"] == "a partition was dropped"
    assert first["custom_details"]["next"] == "select partman.partition_gap_fill('app.a');"
    assert events[1]["payload"]["severity"] == "warning"
    assert {each["routing_key"] for each in events} == {"THE-INTEGRATION-KEY"}


@pytest.mark.parametrize("team", ["#dbas", "%23dbas"])
def test_opsgenie_opens_and_closes_by_one_alias(
    receiver: HttpReceiver, monkeypatch: pytest.MonkeyPatch, team: str
) -> None:
    receiver.answer = lambda _: Answer(202)
    url = f"opsgenie://THE-KEY/{team}/@jane?api={receiver.url}"
    send(url, message(told(1)), monkeypatch)
    send(url, message(told(1, event="resolved")), monkeypatch)
    opened, closed = receiver.requests
    assert opened.path == "/v2/alerts"
    assert opened.headers["Authorization"] == "GenieKey THE-KEY"
    alert = opened.json
    assert (alert["message"], alert["alias"], alert["priority"]) == ("app.a has a gap", "prod-eu/app/gap/app.a/1", "P1")
    assert alert["responders"] == [{"type": "team", "name": "dbas"}, {"type": "user", "username": "jane"}]
    assert alert["details"]["next"] == "select partman.partition_gap_fill('app.a');"
    assert closed.path == "/v2/alerts/prod-eu%2Fapp%2Fgap%2Fapp.a%2F1/close?identifierType=alias"


@pytest.mark.parametrize("service", ["pagerduty", "opsgenie"])
def test_a_pager_is_not_told_what_newer_things_have_overtaken(
    service: str, receiver: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(f"{service}://THE-KEY?api={receiver.url}", message(told(1), told(2), overtaken=(1,)), monkeypatch)
    (request,) = receiver.requests
    assert b"gap/app.a/2" in request.body


def test_slack_gets_the_text_as_text(receiver: HttpReceiver, monkeypatch: pytest.MonkeyPatch) -> None:
    from apprise.plugins.slack import NotifySlack

    receiver.answer = lambda _: Answer(200, b"ok")
    monkeypatch.setattr(NotifySlack, "webhook_url", f"{receiver.url}/services")
    send("https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ", message(told()), monkeypatch)
    send("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#dbas", message(told(name=HOSTILE)), monkeypatch)
    first, second = receiver.requests
    assert first.path == "/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
    assert "[partwarden] CRITICAL prod-eu/app: app.a gap" in first.body.decode()
    assert second.json["channel"] == "#dbas"
    assert "<!channel>" not in second.body.decode()
    assert "&lt;!channel&gt;" in second.body.decode()


def test_teams_gets_a_card_in_which_nobody_is_mentioned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = Authority(tmp_path, "test")
    vouched = authority.vouch("localhost")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(vouched.certificate, vouched.key)
    with http_receiver(tls=tls) as receiver:
        receiver.answer = lambda _: Answer(202)
        url = (
            f"workflows://localhost:{receiver.port}/643a031cff42416da18d5c84e5da0e3d/"
            "SIGnature-0123456789_abcdefghijklmnopqrstu"
        )
        with pytest.raises(ChannelFailed, match="its certificate is not trusted"):
            send(url, message(told()), monkeypatch)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.certificate))
        send(url, message(told(name=HOSTILE)), monkeypatch)
    (request,) = receiver.requests
    card: Any = request.json["attachments"][0]["content"]
    assert request.path.startswith("/workflows/643a031cff42416da18d5c84e5da0e3d/triggers/manual/paths/invoke")
    assert "entities" not in card["msteams"]
    assert "CRITICAL" in card["body"][-1]["text"]


def test_a_hostile_name_becomes_no_header_of_a_mail_and_no_html(monkeypatch: pytest.MonkeyPatch) -> None:
    with mail_receiver() as receiver:
        send(receiver.url("dba@example.com"), message(told(name=HOSTILE)), monkeypatch)
        ((address, mail),) = receiver.mails
    assert address == "dba@example.com"
    assert mail["Bcc"] is None
    assert mail["Subject"].startswith("[partwarden] CRITICAL prod-eu/app: app.")
    assert mail.get_content_type() == "text/plain"
    assert "<script>alert(1)</script>" in mail.get_content()


@pytest.mark.parametrize(
    ("status", "lasts"),
    [
        (400, True),
        (401, True),
        (404, True),
        (410, True),
        (302, True),
        (408, False),
        (429, False),
        (500, False),
        (503, False),
    ],
)
@pytest.mark.parametrize("form", ["{url}/hook", "json://127.0.0.1:{port}/hook", "pagerduty://THE-KEY?api={url}"])
def test_what_passes_is_told_from_what_lasts(
    form: str, status: int, lasts: bool, receiver: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver.answer = lambda _: Answer(
        status, headers={"Location": f"{receiver.url}/elsewhere"} if status == 302 else {}
    )
    with pytest.raises(ChannelFailed, match=str(status)) as failed:
        send(form.format(url=receiver.url, port=receiver.port), message(told()), monkeypatch)
    assert failed.value.lasts is lasts
    assert len(receiver.requests) == 1


@pytest.mark.parametrize(("reply", "lasts"), [("550 5.1.1 no such user", True), ("451 4.3.0 later", False)])
def test_a_mail_server_that_refuses_for_now_is_told_from_one_that_refuses_for_good(
    reply: str, lasts: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    with mail_receiver() as receiver:
        receiver.refuse = lambda _: reply
        with pytest.raises(ChannelFailed, match=reply[:3]) as failed:
            send(receiver.url("dba@example.com"), message(told()), monkeypatch)
    assert failed.value.lasts is lasts


def test_nobody_there_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    for url in (
        "http://127.0.0.1:1/hook",
        "mailto://127.0.0.1:1?from=a@example.com&to=b@example.com",
        "json://127.0.0.1:1",
    ):
        with pytest.raises(ChannelFailed, match=r"(?i)connection refused") as failed:
            send(url, message(told()), monkeypatch)
        assert not failed.value.lasts


def test_a_webhook_may_ask_for_a_password(receiver: HttpReceiver, monkeypatch: pytest.MonkeyPatch) -> None:
    send(f"http://jane:pass%20word@127.0.0.1:{receiver.port}/hook", message(told()), monkeypatch)
    (request,) = receiver.requests
    assert request.headers["Authorization"] == "Basic amFuZTpwYXNzIHdvcmQ="
