"""The page behind a real server on 127.0.0.1, and browsers that look at it."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from partwarden.web.access.protection import Protection
from partwarden.web.access.safeguard import Safeguard
from partwarden.web.acts.works import Works
from partwarden.web.application import application
from partwarden.web.listening import listening
from partwarden.web.watch.watching import Watch
from tests.waiting import wait_until

TOKEN = "a token that nobody guesses"
SECRET_DSN = "postgresql://anna:s3cr3t@db.example.com/app"

_CSRF = re.compile(r'name="csrf" value="([^"]*)"')


@dataclass
class Clock:
    """The time, which goes on only when it is told to."""

    seconds: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.seconds


@dataclass
class Page:
    """A page that is served. ``address`` has no slash at its end."""

    address: str
    clock: Clock
    works: Works
    verify: str | bool = True
    browsers: list[httpx.Client] = field(default_factory=list)

    def browser(self, **headers: str) -> Browser:
        """Somebody's browser: it keeps cookies, and says where a request comes from, as browsers do."""
        return Browser(self, headers)

    def program(self, **headers: str) -> httpx.Client:
        """Something that is no browser."""
        return self._client(headers)

    def _client(self, headers: Mapping[str, str]) -> httpx.Client:
        import ssl

        context = True if self.verify is True else ssl.create_default_context(cadata=str(self.verify))
        client = httpx.Client(base_url=self.address, headers=dict(headers), verify=context, timeout=30)
        self.browsers.append(client)
        return client


class Browser:
    """Gets pages, and sends the forms that are on them."""

    def __init__(self, page: Page, headers: Mapping[str, str]) -> None:
        self._origin = page.address
        self.client = page._client({"Accept": "text/html,*/*", **headers})

    def get(self, path: str, **headers: str) -> httpx.Response:
        """Type an address."""
        return self.client.get(path, headers={"Sec-Fetch-Site": "none", **_named(headers)})

    def post(self, path: str, fields: Mapping[str, str], **headers: str) -> httpx.Response:
        """Send a form that stands on a page of the same origin."""
        return self.client.post(path, data=dict(fields), headers={"Origin": self._origin, **_named(headers)})

    def log_in(self, name: str = "anna", token: str = TOKEN) -> httpx.Response:
        """By the token."""
        return self.post("/login", {"name": name, "token": token})

    def csrf(self, path: str) -> str:
        """What the form of a page brings back."""
        return csrf(self.get(path).text)


def csrf(page: str) -> str:
    """What the form of a page brings back."""
    found = _CSRF.search(page)
    assert found is not None, page
    return found[1]


def _named(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


@contextmanager
def served(
    protection: Protection,
    databases: Mapping[str, str] | None = None,
    *,
    certificate: Path | None = None,
    key: Path | None = None,
    verify: str | bool = True,
) -> Iterator[Page]:
    """The page as long as the block lasts, with actions on ``databases``, by their names."""
    clock = Clock()
    safeguard = Safeguard(protection, databases or {}, now=clock)
    app = application(
        Watch([], interval=60),
        scrape=lambda _: "partwarden_up 1\n",
        more_routes=(*safeguard.routes, Route("/broken", _broken), Route("/ticks", _ticks), Route("/peer", _peer)),
        middleware=safeguard.middleware,
        allows_actions=protection.allow_actions,
    )
    server = listening(app, host="127.0.0.1", port=0, certificate=certificate, key=key)
    thread = threading.Thread(target=server.run)
    thread.start()
    page: Page | None = None
    try:
        wait_until(lambda: server.started or not thread.is_alive(), "the page listens")
        port = server.servers[0].sockets[0].getsockname()[1]
        scheme = "http" if certificate is None else "https"
        page = Page(f"{scheme}://127.0.0.1:{port}", clock, safeguard.works, verify)
        yield page
    finally:
        for browser in page.browsers if page is not None else ():
            browser.close()
        safeguard.close()
        server.should_exit = True
        thread.join(10)
        assert not thread.is_alive()


async def _broken(_: Request) -> Response:
    raise RuntimeError(f"could not connect to {SECRET_DSN}")


async def _peer(request: Request) -> Response:
    assert request.client is not None
    seen = [name for name, _ in request.headers.items() if "forwarded" in name]
    return PlainTextResponse(f"{request.client.host} {request.url.scheme} {request.state.person.name} {seen}")


async def _ticks(_: Request) -> Response:
    async def stream() -> AsyncIterator[str]:
        while True:
            yield "data: tick\n\n"
            await asyncio.sleep(0.02)

    return StreamingResponse(stream(), media_type="text/event-stream")
