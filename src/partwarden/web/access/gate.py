"""The gate: who has sent a request, and whether they are let in. Whatever is not open to everybody needs a login."""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect, HTTPConnection
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from partwarden.web.access import hosts
from partwarden.web.access.attempts import Attempts
from partwarden.web.access.person import Person, as_known
from partwarden.web.access.protection import NoLogin, Protection, ProxyLogin, TokenLogin
from partwarden.web.access.proxies import PASSED_ON, SAID
from partwarden.web.access.refusal import is_person, refuse
from partwarden.web.access.sessions import Session, Sessions

LOGIN = "/login"
METRICS = "/metrics"
_OPEN = (LOGIN, hosts.OPEN, "/favicon.ico")
_OPEN_BELOW = ("/static/", LOGIN + "/")


@dataclass(frozen=True)
class _Found:
    """Who it is, and their session, which has to be given to them where it ``is_new``."""

    person: Person
    session: Session | None = None
    is_new: bool = False


@dataclass(frozen=True)
class _Refused:
    """Why somebody is not let in."""

    status: int
    sentence: str
    way_out: str


class Gate:
    """Lets in who may look, and leaves in ``scope["state"]["person"]`` who that is."""

    def __init__(self, app: ASGIApp, protection: Protection, sessions: Sessions, attempts: Attempts) -> None:
        self._app = app
        self._protection = protection
        self._sessions = sessions
        self._attempts = attempts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or have the application answer."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        found = self._find(HTTPConnection(scope))
        if isinstance(found, _Refused) and not self._is_open(scope):
            await self._refuse(scope, receive, send, found)
            return
        if isinstance(found, _Refused):
            await self._app(scope, receive, send)
            return
        state: MutableMapping[str, Any] = scope.setdefault("state", {})
        state["person"] = found.person
        if found.session is None:
            await self._app(scope, receive, send)
        else:
            state["person"] = replace(found.person, csrf=self._sessions.form_token(found.session))
            await self._let_in(scope, receive, send, found, found.session)

    def _is_open(self, scope: Scope) -> bool:
        path: str = scope["path"]
        if scope["type"] != "http":
            return False
        return path in _OPEN or path.startswith(_OPEN_BELOW) or (path == METRICS and self._protection.open_metrics)

    def _find(self, request: HTTPConnection) -> _Found | _Refused:
        bearer = _bearer(request)
        if bearer is not None and self._takes_tokens(request.scope):
            return self._find_by_token(request, bearer)
        match self._protection.login:
            case NoLogin() if request.scope.get(PASSED_ON):  # from this machine, but perhaps for another one
                return _Refused(
                    403,
                    "This came through a proxy, and nobody has to log in here.",
                    "Have partwarden serve started with a login, or use the address that it says on its own machine.",
                )
            case NoLogin(name):
                return self._visit(request, Person(name, self._protection.allow_actions))
            case ProxyLogin():
                return self._find_by_proxy(request)
            case _:
                session = self._sessions.of(request)
        if session is None:
            return _Refused(401, "Nobody is logged in here.", "Log in, or send a token: Authorization: Bearer …")
        may_act = session.may_act and self._protection.allow_actions
        return _Found(Person(session.name, may_act, can_leave=True), session)

    def _takes_tokens(self, scope: Scope) -> bool:
        """Whether a token is for us: else it is something that a proxy has sent along."""
        has_token_for_metrics = self._protection.metrics_token is not None and scope["path"] == METRICS
        return isinstance(self._protection.login, TokenLogin) or has_token_for_metrics

    def _find_by_token(self, request: HTTPConnection, bearer: str) -> _Found | _Refused:
        """Programs look, and never act: what they have to know for that stands in their configuration."""
        wait = self._attempts.seconds_to_wait(request.scope)
        if wait:
            return _Refused(429, f"Too many tokens were tried: wait for {wait} seconds.", "Then send the right one.")
        login, metrics = self._protection.login, self._protection.metrics_token
        if isinstance(login, TokenLogin) and login.token.matches(bearer):
            return _Found(Person("token"))
        if metrics is not None and metrics.matches(bearer):
            if request.scope["path"] == METRICS:
                return _Found(Person("metrics"))
            return _Refused(403, "This token is good for /metrics only.", "Log in for the other pages.")
        self._attempts.failed(request.scope)
        return _Refused(401, "This token is not known here.", "Look where partwarden serve reads its token from.")

    def _find_by_proxy(self, request: HTTPConnection) -> _Found | _Refused:
        name = as_known(request.scope.get(SAID))
        if name is None:
            return _Refused(
                401,
                "The reverse proxy has not said who you are.",
                "Reach this page through the proxy, and see that it sets the header that --trust-header names.",
            )
        if not self._protection.lookers.holds(name):
            return _Refused(403, f"{name} may not look here.", "Ask whoever runs this page for --allow-people.")
        may_act = self._protection.allow_actions and self._protection.actors.holds(name)
        return self._visit(request, Person(name, may_act))

    def _visit(self, request: HTTPConnection, person: Person) -> _Found:
        """Who needs no login from us still needs a session, so that a form of theirs is known to be theirs."""
        session = self._sessions.of(request)
        if session is not None and session.name == person.name:
            return _Found(person, session)
        begins = person.may_act and request.scope["type"] == "http" and is_person(request.scope)
        return _Found(person, self._sessions.begin(person.name, may_act=False) if begins else None, is_new=begins)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send, refused: _Refused) -> None:
        may_log_in = self._protection.asks_who_it_is and is_person(scope) and scope["method"] in ("GET", "HEAD")
        if refused.status == 401 and may_log_in and _bearer(HTTPConnection(scope)) is None:
            await RedirectResponse(login_address(_address(scope)), status_code=303)(scope, receive, send)
            return
        headers = {"WWW-Authenticate": "Bearer"} if refused.status == 401 else None
        await refuse(scope, receive, send, refused.status, refused.sentence, refused.way_out, headers)

    async def _let_in(self, scope: Scope, receive: Receive, send: Send, found: _Found, session: Session) -> None:
        is_over = False

        async def send_while_it_holds(message: Message) -> None:
            nonlocal is_over
            if message["type"] == "http.response.start" and found.is_new:
                cookie = self._sessions.cookie(HTTPConnection(scope), session)
                MutableHeaders(scope=message).append("set-cookie", cookie)
            elif message.get("more_body", False) and not self._sessions.holds(session):
                # A stream ends with the session that it belongs to.
                is_over = True
                await send({"type": "http.response.body", "body": b"", "more_body": False})
                raise ClientDisconnect
            await send(message)

        try:
            await self._app(scope, receive, send_while_it_holds)
        except ClientDisconnect:
            if not is_over:
                raise


def login_address(to: str) -> str:
    """The page to log in on, from where one goes on to ``to``."""
    return LOGIN if to == "/" else f"{LOGIN}?next={quote(to, safe='')}"


def local_address(said: str | None) -> str:
    """Where to go on after a login: an address of this page, whatever was said."""
    if said is None or not said.startswith("/") or said.startswith(("//", "/\\", LOGIN)) or "\\" in said:
        return "/"
    return said if said.isprintable() and " " not in said else "/"


def _address(scope: Scope) -> str:
    query = scope.get("query_string", b"").decode("latin-1")
    return quote(scope["path"]) + (f"?{query}" if query else "")


def _bearer(request: HTTPConnection) -> str | None:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else None
