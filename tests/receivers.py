"""Those who are told, for tests: a server for mail and one for HTTP, which keep what they get and answer as they are told."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from partwarden.local.cluster import free_port
from tests.waiting import wait_until


@dataclass(frozen=True)
class Request:
    """What came by HTTP."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Answer:
    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)


class HttpReceiver:
    """Keeps each request; ``answer`` says what becomes of it, and may take its time."""

    def __init__(self, *, tls: ssl.SSLContext | None = None, port: int = 0) -> None:
        self.requests: list[Request] = []
        self.answer: Callable[[Request], Answer] = lambda _: Answer()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                request = Request(self.path, dict(self.headers.items()), body)
                receiver.requests.append(request)
                answer = receiver.answer(request)
                try:
                    self.send_response(answer.status)
                    for name, value in {**answer.headers, "Content-Length": str(len(answer.body))}.items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(answer.body)
                except OSError:
                    pass  # whoever asked has gone

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def wait_for(self, number: int, *, seconds: float = 10) -> list[Request]:
        wait_until(lambda: len(self.requests) >= number, f"{number} requests had come", seconds=seconds)
        return list(self.requests)

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def http_receiver(*, tls: ssl.SSLContext | None = None, port: int = 0) -> Iterator[HttpReceiver]:
    receiver = HttpReceiver(tls=tls, port=port)
    try:
        yield receiver
    finally:
        receiver.stop()


class MailReceiver:
    """A real mail server. ``refuse`` gives the answer to an addressee, or None to take the mail."""

    def __init__(self) -> None:
        self.mails: list[tuple[str, EmailMessage]] = []
        self.refuse: Callable[[str], str | None] = lambda _: None
        self.port = free_port()
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self._controller.start()

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name for it
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        refused = self.refuse(address)
        if refused is not None:
            return refused
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.original_content or b""
        mail = message_from_bytes(content, policy=default)
        assert isinstance(mail, EmailMessage)
        self.mails += [(address, mail) for address in envelope.rcpt_tos]
        return "250 taken"

    def url(self, *addressees: str) -> str:
        return f"mailto://127.0.0.1:{self.port}?from=partwarden@example.com&to={','.join(addressees)}&mode=insecure"

    def wait_for(self, number: int) -> list[tuple[str, EmailMessage]]:
        wait_until(lambda: len(self.mails) >= number, f"{number} mails had come", seconds=10)
        return list(self.mails)

    def stop(self) -> None:
        self._controller.stop()


@contextmanager
def mail_receiver() -> Iterator[MailReceiver]:
    receiver = MailReceiver()
    try:
        yield receiver
    finally:
        receiver.stop()
