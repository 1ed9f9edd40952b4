"""The pages behind a real server, and a real browser that looks at them and notes whatever it should not have to."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page, Request, Response, ViewportSize, sync_playwright

from partwarden.health import Target
from partwarden.web.access.protection import NoLogin, Protection
from partwarden.web.access.safeguard import Safeguard
from partwarden.web.application import application
from partwarden.web.listening import bound, listening
from partwarden.web.watch.watching import Watch
from partwarden.web.wording import link
from tests.waiting import wait_until

WIDE: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
WHO = "night-shift"
"""Whom the record names for what is done on the page."""
_PROGRAMS = ("chromium", "chromium-browser", "google-chrome")


def find_chromium() -> Path | None:
    """Debian's Chromium, or what ``PARTWARDEN_CHROMIUM`` names."""
    named = os.environ.get("PARTWARDEN_CHROMIUM")
    found = named or next(filter(None, map(shutil.which, _PROGRAMS)), None)
    return None if found is None else Path(found)


@contextmanager
def chromium(program: Path) -> Iterator[Browser]:
    """A browser of its own, without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program,
            args=["--no-sandbox", "--disable-gpu", "--font-render-hinting=none"],
        )
        try:
            yield browser
        finally:
            browser.close()


class Site:
    """The pages of ``partwarden serve`` on a port of 127.0.0.1, which stays the same from one start to the next."""

    def __init__(self, watch: Callable[[], Watch], targets: Sequence[Target], protection: Protection) -> None:
        self._make_watch = watch
        self._targets = {target.name or "": target.dsn for target in targets}
        self._protection = protection
        self._port = 0
        self._running = ExitStack()

    @classmethod
    def elsewhere(cls, port: int) -> Site:
        """What another program serves on a port of 127.0.0.1."""
        site = cls(lambda: Watch([], interval=3600), (), Protection(NoLogin(WHO)))
        site._port = port
        return site

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return f"http://127.0.0.1:{self._port}"

    def address(self, path: str = "/", **asked: object) -> str:
        """Where a page is."""
        return self.origin + link(path, **asked)

    def start(self) -> None:
        """Listen, and return when every database has been looked at."""
        safeguard = Safeguard(self._protection, self._targets)
        self._running.callback(safeguard.close)
        socket = self._running.enter_context(bound("127.0.0.1", self._port))
        self._port = socket.getsockname()[1]
        watch = self._make_watch()
        app = application(
            watch,
            more_routes=safeguard.routes,
            middleware=safeguard.middleware,
            allows_actions=self._protection.allow_actions,
        )
        server = listening(app, host="127.0.0.1", port=self._port, leaving=watch.end)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [socket]}, name="site")
        thread.start()

        def stop() -> None:
            server.should_exit = True
            thread.join(30)
            assert not thread.is_alive(), "the server does not end"

        self._running.callback(stop)
        wait_until(lambda: server.started or not thread.is_alive(), "the server listens")
        wait_until(
            lambda: all(newest for _, newest in watch.surveys()), "every database has been looked at", seconds=60
        )

    def stop(self) -> None:
        """As if it had been interrupted."""
        self._running.close()


@contextmanager
def serving(
    targets: Iterable[Target],
    *,
    interval: float,
    protection: Protection | None = None,
    kind: type[Watch] = Watch,
) -> Iterator[Site]:
    """The pages of these databases, each looked at once in ``interval`` seconds; at first anybody may look, and nobody act."""
    listed = tuple(targets)
    protection = protection or Protection(NoLogin(WHO))
    site = Site(lambda: kind(listed, interval=interval, timeout=20), listed, protection)
    try:
        site.start()
        yield site
    finally:
        site.stop()


@dataclass
class Visitor:
    """Somebody in front of a browser; ``noise`` is what no page may do: errors, dialogs, requests to elsewhere."""

    site: Site
    page: Page
    noise: list[str] = field(default_factory=list)
    expected: tuple[str, ...] = ()
    """What may be in the noise: a page that is not found is an error to the console as well."""

    def open(self, path: str = "/", **asked: object) -> Response:
        """Go to a page, and be there when its scripts are."""
        response = self.page.goto(self.site.address(path, **asked), wait_until="load")
        assert response is not None
        return response

    def follow(self, text: str) -> None:
        """Click on what is a link of that name."""
        self.page.get_by_role("link", name=text, exact=True).first.click()

    @property
    def heading(self) -> str:
        """The first words of the page."""
        return self.page.locator("h1").inner_text()

    @property
    def words(self) -> str:
        """All that is to be read on the page now, what is folded away left out."""
        return self.page.locator("body").inner_text()

    def texts(self, selector: str) -> list[str]:
        """The words of each element."""
        return [" ".join(each.split()) for each in self.page.locator(selector).all_inner_texts()]

    def listen(self) -> None:
        """Note from now on what goes wrong."""
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.noise.append(f"error: {error}"))
        self.page.on("dialog", self._dialog)
        self.page.on("request", self._request)
        self.page.on("response", self._response)

    def complaints(self) -> list[str]:
        """What was noted and not expected."""
        return [each for each in self.noise if not any(part in each for part in self.expected)]

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.noise.append(f"{message.type}: {message.text} ({message.location['url']})")

    def _dialog(self, dialog: Dialog) -> None:
        self.noise.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme != "data" and f"{parts.scheme}://{parts.netloc}" != self.site.origin:
            self.noise.append(f"request: {request.url}")

    def _response(self, response: Response) -> None:
        if response.status >= 400:
            self.noise.append(f"status {response.status}: {response.url}")


@contextmanager
def visiting(browser: Browser, site: Site, **options: Any) -> Iterator[Visitor]:
    """A visitor in a window of their own, who must have nothing to complain about in the end."""
    with browser.new_context(**({"viewport": WIDE} | options)) as context:
        context.set_default_timeout(30_000)
        visitor = Visitor(site, context.new_page())
        visitor.listen()
        yield visitor
        assert not visitor.complaints(), visitor.complaints()
