"""One server with all states, one browser, and the pages; a visitor for each test."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import pytest
from playwright.sync_api import Browser

from partwarden.health import Target
from partwarden.survey import Survey
from partwarden.web.watch.watching import Watch
from tests.servers import MAJORS, Server, find_server, required_majors, running_server
from tests.web.browsing import Site, Visitor, chromium, find_chromium, serving, visiting
from tests.web.states import States, made

Visit = Callable[..., Visitor]


@pytest.fixture(scope="package")
def page_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The newest server that is here: what the pages show does not depend on the version."""
    majors = [major for major in MAJORS if find_server(major) is not None]
    if not majors:
        _missing("there is no PostgreSQL with pg_cron, pg_partman and PL/Python here (scripts/setup.sh test)")
    with running_server(majors[-1], tmp_path_factory.mktemp("page-secrets")) as running:
        yield running


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Chromium; skipped, with the reason, where it is neither here nor required."""
    program = find_chromium()
    if program is None:
        _missing("there is no Chromium here (scripts/setup.sh test; on Debian: sudo apt-get install chromium)")
    with chromium(program) as running:
        yield running


@pytest.fixture(scope="package")
def states(page_server: Server) -> Iterator[States]:
    """Databases in all states. Nobody changes them."""
    with made(page_server) as listed:
        yield listed


@pytest.fixture(scope="package")
def fleet(states: States) -> Iterator[Site]:
    """The pages of all of them, as they were at the beginning."""
    with serving(states.targets.values(), interval=3600) as site:
        yield site


class SameAnswers(Watch):
    """Asks each database once, under whichever of its names comes first: the others get the same answer."""

    def __init__(self, targets: Sequence[Target], **named: Any) -> None:
        super().__init__(targets, **named)
        self._known: dict[str, Survey] = {}
        self._asking = threading.Lock()

    def _survey(self, target: Target) -> Survey:
        with self._asking:
            if target.dsn not in self._known:
                self._known[target.dsn] = super()._survey(target)
            return replace(self._known[target.dsn], name=target.name or "")


@pytest.fixture(scope="package")
def thousand(states: States) -> Iterator[Site]:
    """The pages of 1,000 names for four databases, one of which is broken."""
    real = [states.targets[name] for name in ("shop", "billing", "archive", "telemetry")]
    targets = [Target(real[number % 4].dsn, f"db-{number:04}") for number in range(1000)]
    with serving(targets, interval=3600, kind=SameAnswers) as site:
        yield site


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """Opens a window on a site; whatever it may not do fails the test in the end."""
    with ExitStack() as windows:

        def open_window(site: Site, **options: Any) -> Visitor:
            window: AbstractContextManager[Visitor] = visiting(browser, site, **options)
            return windows.enter_context(window)

        yield open_window


def _missing(reason: str) -> NoReturn:
    if required_majors():
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="package")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pictures of the pages go: the folder that ``PARTWARDEN_SCREENSHOTS`` names."""
    named = os.environ.get("PARTWARDEN_SCREENSHOTS")
    folder = Path(named) if named else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
