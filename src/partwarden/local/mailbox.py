"""A subscriber's mailbox: what SNS posts over HTTP arrives in a folder as the e-mail that a subscriber would get.

``python -m partwarden.local.mailbox --folder mails`` runs one.
"""

from __future__ import annotations

import argparse
import contextlib
import email
import email.policy
import http.client
import json
import logging
import os
import re
import signal
import socketserver
import sys
import threading
import time
import unicodedata
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self
from urllib.parse import parse_qs, urlsplit

from partwarden.errors import StackFailed
from partwarden.local.cluster import port_is_free
from partwarden.local.daemon import Daemon

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_SENDER = "AWS Notifications <no-reply@sns.amazonaws.com>"
_SUBJECT_OF_NONE = "AWS Notification Message"

# 256 KiB of message may come as three times as many bytes of JSON escapes.
_BODY_BYTES = 2 * 1024 * 1024
_REQUEST_SECONDS = 10
_CONFIRM_SECONDS = 5

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+")
_MESSAGE_ID = re.compile(r"[A-Za-z0-9-]{1,100}")
_CONTROL_CHARACTER = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # all but tab and line feed
_ATTRIBUTE_NAME = re.compile(r"[A-Za-z0-9_.-]{1,256}")

logger = logging.getLogger(__name__)


class _Refused(Exception):
    """A request that is not answered with 200, and why."""

    def __init__(self, status: HTTPStatus, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class Mailbox:
    """An HTTP endpoint on 127.0.0.1 for SNS to post to, and the folder that its mails are kept in.

    It confirms subscriptions by itself, but only those of an SNS on this machine. A mail is one ``.eml`` file,
    whole as soon as it is there; the names sort by arrival. One SNS message is kept once, however often it is
    delivered. Mails go to ``address``, or to the ``to`` in the query of the URL that was subscribed.
    """

    def __init__(self, folder: Path, *, address: str = "dba@example.com", port: int = 0) -> None:
        self.folder = folder
        self.address = _checked_address(address)
        self._wanted_port = port
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None
        self._arrival = threading.Condition()
        self._last_arrival = datetime.min.replace(tzinfo=UTC)
        self._kept: set[str] = set()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """What to subscribe: ``http://127.0.0.1:PORT/``. Raises StackFailed when the mailbox is not running."""
        if self._server is None:
            raise StackFailed(f"the mailbox in {self.folder} is not running", remedy="start it first")
        return f"http://127.0.0.1:{self._server.server_address[1]}/"

    def start(self) -> None:
        """Listen, in a thread of its own; nothing happens when it does already. Raises StackFailed if it can't."""
        if self._server is not None:
            return
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._kept = {_message_id_of(file) for file in self.folder.glob("*.eml")}
        try:
            self._server = _Server(("127.0.0.1", self._wanted_port), _Request, self)
        except OSError as error:
            raise StackFailed(
                f"the mailbox could not listen on 127.0.0.1:{self._wanted_port}: {error.strerror}",
                remedy="choose another port, or leave it out and let the system find a free one",
            ) from error
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="mailbox", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Listen no longer. What has arrived stays in the folder."""
        if self._server is None or self._thread is None:
            return
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._server = self._thread = None

    def mails(self) -> list[EmailMessage]:
        """All mails in the folder, in the order of their arrival."""
        return read_mails(self.folder)

    def wait_for(self, predicate: Callable[[EmailMessage], bool], timeout: float) -> EmailMessage:
        """The first mail that ``predicate`` holds for, now or within ``timeout`` seconds.

        Raises TimeoutError, which says what arrived instead.
        """
        deadline = time.monotonic() + timeout
        with self._arrival:
            while True:
                mails = self.mails()
                for mail in mails:
                    if predicate(mail):
                        return mail
                left = deadline - time.monotonic()
                if left <= 0:
                    arrived = ", ".join(repr(mail["Subject"]) for mail in mails) or "nothing"
                    raise TimeoutError(f"no such mail within {timeout:g} s in {self.folder}; arrived: {arrived}")
                self._arrival.wait(left)

    def take(self, document: dict[str, Any], address: str | None) -> None:
        """Take one message of SNS's HTTP protocol, parsed. The endpoint calls this for every POST."""
        match document.get("Type"):
            case "SubscriptionConfirmation":
                _confirm(_text_in(document, "SubscribeURL"))
            case "UnsubscribeConfirmation":
                logger.info("unsubscribed from %s", document.get("TopicArn"))
            case "Notification":
                self._keep(document, address or self.address)
            case other:
                raise _Refused(HTTPStatus.BAD_REQUEST, f"{other!r} is no type of message that SNS sends")

    def _keep(self, notification: dict[str, Any], address: str) -> None:
        message_id = _text_in(notification, "MessageId")
        if not _MESSAGE_ID.fullmatch(message_id):
            raise _Refused(HTTPStatus.BAD_REQUEST, "MessageId is no message id")
        mail = _as_mail(notification, message_id, address)
        with self._arrival:
            if message_id in self._kept:
                logger.info("message %s was delivered again", message_id)
                return
            arrival = max(datetime.now(UTC), self._last_arrival + timedelta(microseconds=1))
            _write_whole(self.folder / f"{arrival:%Y%m%dT%H%M%S.%fZ}-{message_id}.eml", mail.as_bytes())
            self._last_arrival = arrival
            self._kept.add(message_id)
            self._arrival.notify_all()
        logger.info("message %s is in the mailbox of %s", message_id, address)


def read_mails(folder: Path) -> list[EmailMessage]:
    """All mails in a mailbox's folder, in the order of their arrival; also from another process, at any time."""
    mails = []
    for file in sorted(folder.glob("*.eml")):
        with contextlib.suppress(FileNotFoundError):
            mails.append(email.message_from_bytes(file.read_bytes(), policy=email.policy.default))
    return mails


def as_screen(mail: EmailMessage) -> str:
    """A mail as text for a terminal: four headers, an empty line, the body. Control characters are made visible."""
    headers = "".join(f"{name + ':':<9}{mail[name]}\n" for name in ("From", "To", "Date", "Subject"))
    body: str = mail.get_content()
    return _CONTROL_CHARACTER.sub("\N{REPLACEMENT CHARACTER}", f"{headers}\n{body}")


def mailbox_daemon(folder: Path, mails: Path) -> Daemon:
    """A mailbox that runs on in the background: its log and pid in ``folder``, its mails in ``mails``."""
    return Daemon(
        folder,
        __name__,
        arguments=lambda port: ("--port", str(port), "--folder", str(mails.absolute())),
        is_ready=lambda port: not port_is_free(port),
    )


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], request: type[_Request], mailbox: Mailbox) -> None:
        self.mailbox = mailbox
        super().__init__(address, request)

    def server_bind(self) -> None:
        """Bind without the look-up of the machine's name that HTTPServer makes."""
        socketserver.TCPServer.server_bind(self)

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002
        """Log what broke off; the next request is not concerned."""
        logger.warning("a request from %s broke off", client_address, exc_info=True)


class _Request(BaseHTTPRequestHandler):
    server: _Server
    timeout: ClassVar[float] = _REQUEST_SECONDS

    def do_POST(self) -> None:
        """Answer SNS: 200 when the message was taken, else SNS tries again (5xx) or gives up (4xx)."""
        try:
            self.server.mailbox.take(_parse(self._body()), self._address())
        except _Refused as refusal:
            logger.warning("refused a request: %s", refusal)
            self._answer(refusal.status, str(refusal))
        else:
            self._answer(HTTPStatus.OK, "ok")

    def do_GET(self) -> None:
        """There is nothing to see."""
        self._answer(HTTPStatus.METHOD_NOT_ALLOWED, "this is an endpoint for SNS: POST")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Log as the rest of partwarden does, not to stderr."""
        logger.debug(format, *args)

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()):
            raise _Refused(HTTPStatus.LENGTH_REQUIRED, "Content-Length is missing or no number")
        if len(length) > 10 or int(length) > _BODY_BYTES:
            raise _Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"more than {_BODY_BYTES} bytes")
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            raise _Refused(HTTPStatus.BAD_REQUEST, "the body is shorter than Content-Length says")
        return body

    def _address(self) -> str | None:
        try:
            wanted = parse_qs(urlsplit(self.path).query).get("to")
            return _checked_address(wanted[0]) if wanted else None
        except ValueError as error:
            raise _Refused(HTTPStatus.BAD_REQUEST, str(error)) from error

    def _answer(self, status: HTTPStatus, text: str) -> None:
        body = f"{text}\n".encode(errors="replace")
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _parse(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _Refused(HTTPStatus.BAD_REQUEST, "the body is no JSON") from error
    if not isinstance(document, dict):
        raise _Refused(HTTPStatus.BAD_REQUEST, "the body is no JSON object")
    return document


def _text_in(document: dict[str, Any], key: str) -> str:
    text = document.get(key)
    if not isinstance(text, str):
        raise _Refused(HTTPStatus.BAD_REQUEST, f"{key} is missing or no text")
    return text.encode(errors="replace").decode()


def _confirm(subscribe_url: str) -> None:
    """Confirm a subscription. A URL elsewhere, or for something else, is never fetched: anybody can post here."""
    try:
        url = urlsplit(subscribe_url)
        port = url.port or 80
        ours = (
            url.scheme == "http"
            and url.hostname in ("127.0.0.1", "localhost")
            and parse_qs(url.query).get("Action") == ["ConfirmSubscription"]
        )
    except ValueError:
        ours = False
    if not ours:
        raise _Refused(HTTPStatus.FORBIDDEN, "SubscribeURL does not confirm a subscription on this machine")
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_CONFIRM_SECONDS)
    try:
        connection.request("GET", f"{url.path or '/'}?{url.query}")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        raise _Refused(HTTPStatus.BAD_GATEWAY, f"the subscription could not be confirmed: {error}") from error
    finally:
        connection.close()
    if status != HTTPStatus.OK:
        raise _Refused(HTTPStatus.BAD_GATEWAY, f"the subscription was not confirmed: status {status}")


def _as_mail(notification: dict[str, Any], message_id: str, address: str) -> EmailMessage:
    mail = EmailMessage()
    mail["From"] = _SENDER
    mail["To"] = address
    mail["Subject"] = _on_one_line(str(notification.get("Subject") or _SUBJECT_OF_NONE))
    mail["Date"] = format_datetime(_timestamp_in(notification))
    mail["Message-ID"] = f"<{message_id}@sns.amazonaws.com>"
    for name, value in _attributes_in(notification):
        mail[name] = value
    text = _text_in(notification, "Message")
    if unsubscribe_url := notification.get("UnsubscribeURL"):
        text += f"\n\n--\nTo get no more notifications from this topic, unsubscribe:\n{_on_one_line(unsubscribe_url)}\n"
    mail.set_content(text, charset="utf-8")
    return mail


def _timestamp_in(notification: dict[str, Any]) -> datetime:
    try:
        return datetime.fromisoformat(_text_in(notification, "Timestamp")).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise _Refused(HTTPStatus.BAD_REQUEST, "Timestamp is no time") from error


def _attributes_in(notification: dict[str, Any]) -> list[tuple[str, str]]:
    """The message's attributes as headers: ``notification_id`` is ``X-Partwarden-Notification-Id``."""
    attributes = notification.get("MessageAttributes")
    if not isinstance(attributes, dict):
        return []
    headers = {}
    for name, attribute in attributes.items():
        if _ATTRIBUTE_NAME.fullmatch(name) and isinstance(attribute, dict):
            words = [word.capitalize() for word in re.split(r"[_.-]+", name) if word]
            headers["-".join(["X", "Partwarden", *words])] = _on_one_line(attribute.get("Value", ""))
    return list(headers.items())


def _on_one_line(text: object) -> str:
    printable = "".join(" " if unicodedata.category(one) in ("Cc", "Cs", "Zl", "Zp") else one for one in str(text))
    return " ".join(printable.split())


def _checked_address(address: str) -> str:
    if not _ADDRESS.fullmatch(address):
        raise ValueError(f"{address!r} is no e-mail address")
    return address


def _message_id_of(file: Path) -> str:
    return file.stem.partition("-")[2]


def _write_whole(file: Path, content: bytes) -> None:
    aside = file.with_name(f".{file.name}.new")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
    aside.rename(file)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a mailbox until SIGTERM or SIGINT. Its URL is the one line on stdout, written when it listens."""
    parser = argparse.ArgumentParser(prog="python -m partwarden.local.mailbox", description=main.__doc__)
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; a free one when left out")
    parser.add_argument("--folder", type=Path, required=True, help="where the mails are kept, one .eml file each")
    parser.add_argument("--address", default="dba@example.com", help="whom the mails are to")
    chosen = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    try:
        mailbox = Mailbox(chosen.folder, address=chosen.address, port=chosen.port)
        mailbox.start()
    except (StackFailed, ValueError) as error:
        parser.exit(1, f"{error}\n")
    with mailbox:
        sys.stdout.write(f"{mailbox.url}\n")
        sys.stdout.flush()
        ended.wait()


if __name__ == "__main__":
    main()
