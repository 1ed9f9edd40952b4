"""Sessions: who has logged in, in a cookie that is signed and can't be made up, for some hours, until they log out."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

from itsdangerous import BadSignature, URLSafeSerializer
from starlette.requests import HTTPConnection

from partwarden.web.access.protection import Protection

_SESSION = "session"


@dataclass(frozen=True)
class Session:
    """A login, or a visit where none is asked for. ``until`` is in seconds since 1970."""

    id: str
    name: str
    may_act: bool
    until: int


class Sessions:
    """Begins sessions, knows them again, and ends them. What ``protection`` says differently ends all of them."""

    def __init__(self, protection: Protection, now: Callable[[], float]) -> None:
        self._key = hmac.digest(protection.session_key, protection.fingerprint().encode(), "sha256")
        self._seconds = protection.session_seconds
        self._public_https = (protection.public_url or "").startswith("https://")
        self._port = protection.port
        self._now = now
        self._ended: dict[str, int] = {}
        self._changing = threading.Lock()

    def begin(self, name: str, *, may_act: bool) -> Session:
        """A session that begins now."""
        return Session(secrets.token_urlsafe(18), name, may_act, int(self._now()) + self._seconds)

    def of(self, request: HTTPConnection) -> Session | None:
        """The session that a request belongs to; None where its cookie is missing, not ours, too old, or logged out."""
        value = request.cookies.get(self.cookie_name(request))
        if value is None:
            return None
        try:
            found = Session(**self._signer(_SESSION).loads(value))
        except (BadSignature, TypeError):
            return None
        return found if self.holds(found) else None

    def holds(self, session: Session) -> bool:
        """Whether it is still good."""
        return session.until > self._now() and session.id not in self._ended

    def end(self, session: Session) -> None:
        """Have it be good no longer, whoever still has its cookie."""
        now = self._now()
        with self._changing:
            self._ended = {id_: until for id_, until in self._ended.items() if until > now}
            self._ended[session.id] = session.until

    def form_token(self, session: Session) -> str:
        """What a form of this session has to bring back, which nobody else can know."""
        return hmac.digest(self._key, f"form {session.id} {session.name}".encode(), "sha256").hex()

    def cookie(self, request: HTTPConnection, session: Session) -> str:
        """The ``Set-Cookie`` that keeps it."""
        value = self._signer(_SESSION).dumps(asdict(session))
        assert isinstance(value, str)
        return self.set_cookie(request, self.cookie_name(request), value, self._seconds)

    def no_cookie(self, request: HTTPConnection) -> str:
        """The ``Set-Cookie`` that removes it."""
        return self.set_cookie(request, self.cookie_name(request), "", 0)

    def cookie_name(self, request: HTTPConnection, what: str = "session") -> str:
        """Two pages on one machine have two names: a browser tells cookies apart by host, and not by port."""
        return ("__Host-" if self.is_secure(request) else "") + f"partwarden-{what}-{self._port}"

    def set_cookie(
        self, request: HTTPConnection, name: str, value: str, seconds: int, *, same_site: str = "Strict"
    ) -> str:
        """A cookie that only we are sent, and no script reads."""
        secure = "; Secure" if self.is_secure(request) else ""
        return f"{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite={same_site}{secure}"

    def is_secure(self, request: HTTPConnection) -> bool:
        """Whether people reach us by https, as far as can be seen."""
        return self._public_https or request.scope.get("scheme") == "https"

    def sign(self, what: str, content: Mapping[str, object], seconds: int) -> str:
        """Content for a cookie of another kind, which is good for so long."""
        signed = self._signer(what).dumps({"content": content, "until": int(self._now()) + seconds})
        assert isinstance(signed, str)
        return signed

    def read(self, what: str, value: str) -> Mapping[str, object]:
        """What ``sign`` has signed for this; nothing for anything else."""
        try:
            found = self._signer(what).loads(value)
        except BadSignature:
            return {}
        return found["content"] if found["until"] > self._now() else {}

    def _signer(self, what: str) -> URLSafeSerializer:
        return URLSafeSerializer(self._key, salt=f"partwarden {what}", signer_kwargs={"digest_method": hashlib.sha256})
