from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from partwarden.errors import StackFailed
from partwarden.local.mailbox import Mailbox, as_screen, read_mails

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TOPIC = "arn:aws:sns:us-east-1:000000000000:alerts"


class Sns:
    """The other side of SNS's HTTP protocol: posts to the mailbox, and notes who confirms."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.status = 200
        sns = self

        class Request(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                sns.asked.append(self.path)
                self.send_response(sns.status)
                self.send_header("Location", "http://127.0.0.1:9/elsewhere")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Request)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    @property
    def subscribe_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=t0k3n"


@pytest.fixture
def sns() -> Iterator[Sns]:
    running = Sns()
    yield running
    running.close()


@pytest.fixture
def mailbox(tmp_path: Path) -> Iterator[Mailbox]:
    with Mailbox(tmp_path / "mails") as running:
        yield running


@pytest.fixture(autouse=True)
def reached(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Every address that this process connects to; one beyond loopback is refused."""
    connect = socket.socket.connect
    addresses: list[object] = []

    def connect_to_loopback(self: socket.socket, address: Any) -> None:
        addresses.append(address)
        if address[0] != "127.0.0.1":
            raise AssertionError(f"a connection to {address}, beyond loopback")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect_to_loopback)
    return addresses


def post(url: str, body: bytes | dict[str, Any], headers: dict[str, str] | None = None) -> int:
    """Post to the mailbox as SNS does; the status that it answers with."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection("127.0.0.1", parts.port or 80, timeout=20)
    try:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        connection.request("POST", f"{parts.path}?{parts.query}", content, headers or {})
        return connection.getresponse().status
    finally:
        connection.close()


def notification(message_id: str = "id-1", **changes: object) -> dict[str, Any]:
    return {
        "Type": "Notification",
        "MessageId": message_id,
        "TopicArn": TOPIC,
        "Subject": "[partwarden] CRITICAL",
        "Message": 'Zeile "eins"\nünï 🔥\n',
        "Timestamp": "2026-03-01T12:30:00.000Z",
        "UnsubscribeURL": "http://127.0.0.1:9/?Action=Unsubscribe",
        "MessageAttributes": {"notification_id": {"Type": "String", "Value": "n-1"}},
        **changes,
    }


def confirmation(url: object) -> dict[str, Any]:
    return {"Type": "SubscriptionConfirmation", "MessageId": "c-1", "TopicArn": TOPIC, "SubscribeURL": url}


def test_subscription_is_confirmed(mailbox: Mailbox, sns: Sns) -> None:
    assert post(mailbox.url, confirmation(sns.subscribe_url)) == 200
    assert sns.asked == [f"/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=t0k3n"]


@pytest.mark.parametrize(
    "foreign",
    [
        "https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription",
        "http://169.254.169.254/?Action=ConfirmSubscription",
        "http://127.0.0.1@example.com/?Action=ConfirmSubscription",
        "http://127.0.0.1.example.com/?Action=ConfirmSubscription",
        "http://127.0.0.1:99999/?Action=ConfirmSubscription",
        "http://[::1/?Action=ConfirmSubscription",
        "file:///etc/passwd",
        "ftp://127.0.0.1/?Action=ConfirmSubscription",
        "",
    ],
)
def test_subscription_elsewhere_is_not_confirmed(foreign: str, mailbox: Mailbox, reached: list[object]) -> None:
    assert post(mailbox.url, confirmation(foreign)) == 403
    assert reached == [("127.0.0.1", urlsplit(mailbox.url).port)]  # our own request, and nothing else


def test_url_on_this_machine_that_confirms_nothing_is_not_fetched(mailbox: Mailbox, sns: Sns) -> None:
    for other in ("/?Action=DeleteTopic", "/shutdown", "/?Action=ConfirmSubscription&Action=DeleteTopic"):
        assert post(mailbox.url, confirmation(f"http://127.0.0.1:{sns.port}{other}")) == 403
    assert sns.asked == []


def test_confirmation_that_fails_is_answered_so_that_sns_tries_again(mailbox: Mailbox, sns: Sns) -> None:
    for sns.status in (403, 302):
        assert post(mailbox.url, confirmation(sns.subscribe_url)) == 502
    assert len(sns.asked) == 2  # the redirection was not followed
    assert post(mailbox.url, confirmation("http://127.0.0.1:1/?Action=ConfirmSubscription")) == 502
    assert post(mailbox.url, confirmation("http://127.0.0.1:1/a b?Action=ConfirmSubscription")) == 502


def test_notification_becomes_the_mail_that_a_subscriber_gets(mailbox: Mailbox) -> None:
    assert post(mailbox.url, notification()) == 200
    (mail,) = mailbox.mails()
    assert mail["From"] == "AWS Notifications <no-reply@sns.amazonaws.com>"
    assert mail["To"] == "dba@example.com"
    assert mail["Subject"] == "[partwarden] CRITICAL"
    assert mail["Date"] == "Sun, 01 Mar 2026 12:30:00 +0000"
    assert mail["Message-ID"] == "<id-1@sns.amazonaws.com>"
    assert mail["X-Partwarden-Notification-Id"] == "n-1"
    assert mail.get_content_type() == "text/plain"
    body, footer = mail.get_content().split("\n\n--\n")
    assert body == 'Zeile "eins"\nünï 🔥\n'
    assert footer.endswith("\nhttp://127.0.0.1:9/?Action=Unsubscribe\n")


def test_mail_goes_to_the_address_in_the_subscribed_url(mailbox: Mailbox) -> None:
    assert post(mailbox.url + "?to=night%2Bshift@example.org", notification()) == 200
    assert mailbox.mails()[0]["To"] == "night+shift@example.org"
    assert post(mailbox.url + "?to=x%0D%0ABcc:y@example.org", notification("id-2")) == 400
    assert post(mailbox.url + "?to=nobody", notification("id-3")) == 400
    assert len(mailbox.mails()) == 1


def test_message_that_is_delivered_twice_is_kept_once(tmp_path: Path) -> None:
    with Mailbox(tmp_path) as mailbox:
        assert [post(mailbox.url, notification()) for _ in range(2)] == [200, 200]
        assert len(mailbox.mails()) == 1
    with Mailbox(tmp_path) as again:
        assert post(again.url, notification()) == 200
        assert len(again.mails()) == 1


def test_mails_come_in_the_order_of_arrival(mailbox: Mailbox, tmp_path: Path) -> None:
    for number in range(20):
        post(mailbox.url, notification(f"id-{20 - number}", Subject=f"mail {number}"))
    expected = [f"mail {number}" for number in range(20)]
    assert [mail["Subject"] for mail in mailbox.mails()] == expected
    assert [mail["Subject"] for mail in read_mails(mailbox.folder)] == expected


def test_half_written_mail_is_not_seen(mailbox: Mailbox) -> None:
    post(mailbox.url, notification())
    (mailbox.folder / ".20260301T123000.000000Z-id-2.eml.new").write_bytes(b"Subject: half")
    assert len(read_mails(mailbox.folder)) == 1


def test_messages_at_once_all_arrive_once(mailbox: Mailbox) -> None:
    statuses: list[int] = []
    threads = [
        threading.Thread(target=lambda n=number: statuses.append(post(mailbox.url, notification(f"id-{n % 10}"))))
        for number in range(30)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 30
    assert len(mailbox.mails()) == 10


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no json",
        b'{"Type": "Notification"',
        b"[]",
        b'"text"',
        b"\xff\xfe",
        b"[" * 100_000,
        json.dumps({"message": "raw delivery"}).encode(),
        json.dumps({"Type": "SomethingElse"}).encode(),
        json.dumps({"Type": ["Notification"]}).encode(),
        json.dumps({"Type": "SubscriptionConfirmation"}).encode(),
        json.dumps(notification("../../escape")).encode(),
        json.dumps(notification(Message=None)).encode(),
        json.dumps(notification(MessageId=7)).encode(),
        json.dumps(notification(Timestamp="yesterday")).encode(),
        json.dumps(notification(Timestamp="0001-01-01T00:00:00+14:00")).encode(),
    ],
)
def test_what_is_no_message_of_sns_is_refused_and_the_next_one_arrives(body: bytes, mailbox: Mailbox) -> None:
    assert post(mailbox.url, body) == 400
    assert mailbox.mails() == []
    assert post(mailbox.url, notification()) == 200
    assert len(mailbox.mails()) == 1


@pytest.mark.parametrize("length", ["3000000", "9" * 5000])
def test_body_that_is_too_large_is_refused_unread(length: str, mailbox: Mailbox) -> None:
    assert post(mailbox.url, b"", {"Content-Length": length}) == 413


@pytest.mark.parametrize("length", ["-1", "many", "1_0"])
def test_body_of_unknown_length_is_refused(length: str, mailbox: Mailbox) -> None:
    assert post(mailbox.url, b"", {"Content-Length": length}) == 411


def test_hostile_text_can_neither_add_a_header_nor_stop_a_mail(mailbox: Mailbox) -> None:
    hostile = notification(
        Subject="one\r\nBcc: victim@example.org\x00 \ud800",
        Message="\x1b[2J \ud800 \r\n.\r\n",
        UnsubscribeURL=["x", "y\n"],
        MessageAttributes={
            "a\r\nBcc": {"Value": "x"},
            "b.c": {"Value": "x\r\nBcc: y"},
            "b_c": {"Value": "z"},
            "d": "text",
            "ü": {},
        },
    )
    assert post(mailbox.url, hostile) == 200
    (mail,) = mailbox.mails()
    assert mail["Bcc"] is None
    assert mail["Subject"] == "one Bcc: victim@example.org"
    assert mail["X-Partwarden-B-C"] == "z"
    assert "\x1b" not in as_screen(mail)


def test_mail_without_a_subject_gets_the_one_that_sns_gives(mailbox: Mailbox) -> None:
    message = notification()
    del message["Subject"]
    assert post(mailbox.url, message) == 200
    assert mailbox.mails()[0]["Subject"] == "AWS Notification Message"


def test_largest_message_arrives_whole(mailbox: Mailbox) -> None:
    text = "ü" * (128 * 1024)
    assert post(mailbox.url, notification(Message=text)) == 200
    assert text in mailbox.mails()[0].get_content()


def test_end_of_a_subscription_is_taken_note_of(mailbox: Mailbox) -> None:
    assert post(mailbox.url, {"Type": "UnsubscribeConfirmation", "TopicArn": TOPIC}) == 200
    assert mailbox.mails() == []


def test_get_is_not_for_a_mailbox(mailbox: Mailbox) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", urlsplit(mailbox.url).port or 80, timeout=20)
    connection.request("GET", "/")
    assert connection.getresponse().status == 405
    connection.close()


def test_waiting_ends_when_the_mail_is_there(mailbox: Mailbox) -> None:
    poster = threading.Thread(target=post, args=(mailbox.url, notification()))
    poster.start()
    assert mailbox.wait_for(lambda mail: mail["Subject"] == "[partwarden] CRITICAL", 20)["To"] == "dba@example.com"
    poster.join()


def test_waiting_in_vain_tells_what_arrived(mailbox: Mailbox) -> None:
    with pytest.raises(TimeoutError, match="arrived: nothing"):
        mailbox.wait_for(lambda _: True, 0)
    post(mailbox.url, notification())
    with pytest.raises(TimeoutError, match=r"arrived: '\[partwarden\] CRITICAL'"):
        mailbox.wait_for(lambda _: False, 0.01)


def test_screen_shows_headers_and_body(mailbox: Mailbox) -> None:
    post(mailbox.url, notification(UnsubscribeURL=None))
    assert as_screen(mailbox.mails()[0]) == (
        "From:    AWS Notifications <no-reply@sns.amazonaws.com>\n"
        "To:      dba@example.com\n"
        "Date:    Sun, 01 Mar 2026 12:30:00 +0000\n"
        "Subject: [partwarden] CRITICAL\n"
        "\n"
        'Zeile "eins"\nünï 🔥\n'
    )


def test_taken_port_is_told(mailbox: Mailbox, tmp_path: Path) -> None:
    port = urlsplit(mailbox.url).port or 0
    with pytest.raises(StackFailed, match=f"could not listen on 127.0.0.1:{port}"):
        Mailbox(tmp_path / "other", port=port).start()


def test_stopped_mailbox_has_no_url_and_starts_again(tmp_path: Path) -> None:
    mailbox = Mailbox(tmp_path)
    for _ in range(2):
        with pytest.raises(StackFailed, match="not running"):
            _ = mailbox.url
        mailbox.start()
        mailbox.start()
        assert post(mailbox.url, notification()) == 200
        mailbox.stop()
        mailbox.stop()
    assert len(mailbox.mails()) == 1


def test_bad_address_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no e-mail address"):
        Mailbox(tmp_path, address="dba\n@example.com")


def test_mailbox_runs_as_a_program_of_its_own(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "partwarden.local.mailbox", "--folder", str(tmp_path), "--address", "a@b.example"]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONWARNINGS": "error"},
    ) as program:
        assert program.stdout is not None
        url = program.stdout.readline().strip()
        assert post(url, notification()) == 200
        port = urlsplit(url).port
        taken = subprocess.run([*command, "--port", str(port)], capture_output=True, text=True, timeout=20)
        program.send_signal(signal.SIGTERM)
        assert program.wait(timeout=20) == 0
    assert [mail["To"] for mail in read_mails(tmp_path)] == ["a@b.example"]
    assert (taken.returncode, taken.stdout) == (1, "")
    assert "could not listen" in taken.stderr
    assert "Traceback" not in taken.stderr
