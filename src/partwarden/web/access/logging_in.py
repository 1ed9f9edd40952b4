"""The pages to log in and out on."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from html import escape
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from partwarden.web.access.attempts import Attempts, peer_of
from partwarden.web.access.forms import sent_form, sent_form_of_session
from partwarden.web.access.gate import LOGIN, local_address, login_address
from partwarden.web.access.oidc import Provider, Refused, Who
from partwarden.web.access.person import as_known, as_name
from partwarden.web.access.protection import OidcLogin, Protection, TokenLogin
from partwarden.web.access.refusal import answer, in_words
from partwarden.web.access.sessions import Sessions
from partwarden.web.shown import show

log = logging.getLogger(__name__)

_STATE = "oidc"
_STATE_SECONDS = 600
_BOUNCED = "here"
"""Says that this page has sent the browser here, and nobody else's."""


class LoggingIn:
    """Asks for the token, or has the provider ask who it is; begins and ends sessions."""

    def __init__(self, protection: Protection, sessions: Sessions, attempts: Attempts) -> None:
        self._protection = protection
        self._sessions = sessions
        self._attempts = attempts
        self._provider = Provider(protection.login) if isinstance(protection.login, OidcLogin) else None

    @property
    def routes(self) -> list[Route]:
        """Theirs, for the application."""
        routes = [
            Route(LOGIN, self.page, methods=["GET"], name="login"),
            Route("/logout", in_words(self.log_out), methods=["POST"], name="logout"),
        ]
        if isinstance(self._protection.login, TokenLogin):
            routes.append(Route(LOGIN, in_words(self.take_token), methods=["POST"]))
        if self._provider is not None:
            routes += [
                Route(f"{LOGIN}/provider", self.ask_provider, methods=["GET"]),
                Route(f"{LOGIN}/callback", self.take_answer, methods=["GET"], name="login_callback"),
            ]
        return routes

    async def page(self, request: Request) -> Response:
        """The page to log in on; who is logged in goes on to where they wanted to."""
        to = local_address(request.query_params.get("next"))
        if self._sessions.of(request) is not None or not self._protection.asks_who_it_is:
            return RedirectResponse(to, status_code=303)
        if request.headers.get("sec-fetch-site") == "cross-site" and _BOUNCED not in request.query_params:
            # Whoever follows a link from a mail or a chat comes without their cookie, which is for our own pages only.
            return _go_on(f"{LOGIN}?next={quote(to, safe='')}&{_BOUNCED}")
        return self._page(request, to)

    async def take_token(self, request: Request) -> Response:
        """See whether the token is the right one."""
        assert isinstance(self._protection.login, TokenLogin)
        fields = await sent_form(request)
        to, name = local_address(fields.get("next")), as_name(fields.get("name", ""))
        wait = self._attempts.seconds_to_wait(request.scope)
        if wait:
            return self._page(
                request, to, name=name, problem=f"Too many attempts: wait for {wait} seconds.", status=429
            )
        if not self._protection.login.token.matches(fields.get("token", "").strip()):
            self._attempts.failed(request.scope)
            log.warning("a wrong token from %s", peer_of(request.scope))
            return self._page(request, to, name=name, problem="This is not the token.", status=401)
        if not name:
            return self._page(request, to, problem="Say what you are called: it stands in the record.", status=422)
        return self._begin(request, RedirectResponse(to, status_code=303), name, may_act=True)

    async def ask_provider(self, request: Request) -> Response:
        """Send them to the provider, which asks who they are."""
        assert self._provider is not None
        to = local_address(request.query_params.get("next"))
        try:
            address, kept = await self._provider.ask(self._callback(request))
        except Refused as refused:
            return answer(request, refused.status, refused.problem, refused.remedy)
        sent = RedirectResponse(address, status_code=303)
        signed = self._sessions.sign(_STATE, {"kept": kept, "next": to}, _STATE_SECONDS)
        # Lax: the provider's page sends them back, and that is another page than ours.
        self._set_state(request, sent, signed, _STATE_SECONDS)
        return sent

    async def take_answer(self, request: Request) -> Response:
        """See what the provider says, and whether those may look whom it names."""
        assert self._provider is not None
        state = self._sessions.read(_STATE, request.cookies.get(self._state_name(request), ""))
        kept, to = state.get("kept"), state.get("next")
        try:
            who = await self._provider.answered(request, kept if isinstance(kept, dict) else {})
            said = self._let_in(request, who, local_address(to if isinstance(to, str) else None))
        except Refused as refused:
            said = answer(request, refused.status, refused.problem, refused.remedy)
        self._set_state(request, said, "", 0)
        return said

    async def log_out(self, request: Request) -> Response:
        """End the session."""
        await sent_form_of_session(request)
        session = self._sessions.of(request)
        if session is None:
            raise HTTPException(401)
        self._sessions.end(session)
        log.info("%s has logged out", session.name)
        left = RedirectResponse(login_address("/"), status_code=303)
        left.headers.append("set-cookie", self._sessions.no_cookie(request))
        return left

    def _page(
        self, request: Request, to: str, *, name: str = "", problem: str | None = None, status: int = 200
    ) -> Response:
        login = self._protection.login
        facts: Mapping[str, object] = {
            "next": to,
            "called": name,
            "problem": problem,
            "provider": self._provider.shown if self._provider is not None else None,
            "provider_address": f"{LOGIN}/provider?next={quote(to, safe='')}",
            "asks_for_token": isinstance(login, TokenLogin),
        }
        return show(request, "login.html", status_code=status, **facts)

    def _let_in(self, request: Request, who: Who, to: str) -> Response:
        name = as_known(who.name)
        if name is None or not self._protection.lookers.holds(name, who.groups):
            log.warning("%s may not look, from %s", name or "somebody without a name", peer_of(request.scope))
            raise Refused(
                f"{name or 'Who has no name'} may not look here.", "Ask whoever runs this page for --allow-people.", 403
            )
        # Not by a redirect: the session's cookie is not sent on a way that another page has begun.
        return self._begin(request, _go_on(to), name, may_act=self._protection.actors.holds(name, who.groups))

    def _begin(self, request: Request, to: Response, name: str, *, may_act: bool) -> Response:
        session = self._sessions.begin(name, may_act=may_act)
        to.headers.append("set-cookie", self._sessions.cookie(request, session))
        log.info("%s has logged in, from %s", name, peer_of(request.scope))
        return to

    def _callback(self, request: Request) -> str:
        base = self._protection.public_url or f"{request.url.scheme}://{request.url.netloc}"
        return f"{base.rstrip('/')}{LOGIN}/callback"

    def _state_name(self, request: Request) -> str:
        return self._sessions.cookie_name(request, "provider")

    def _set_state(self, request: Request, to: Response, value: str, seconds: int) -> None:
        to.headers.append(
            "set-cookie",
            self._sessions.set_cookie(request, self._state_name(request), value, seconds, same_site="Lax"),
        )


def _go_on(to: str) -> HTMLResponse:
    """A page that leads on by itself: from there on it is our own page that the browser comes from."""
    address = escape(to, quote=True)
    return HTMLResponse(
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="0; url={address}">'
        f'<title>partwarden</title><p><a href="{address}">Go on</a></p></html>'
    )
