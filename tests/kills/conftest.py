"""A server of its own for each version, since it is killed; what was killed is told at the end."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from tests.kills.nursery import Nursery
from tests.kills.rounds import Tally
from tests.kills.shapes import Shape
from tests.kills.world import Template, make_template
from tests.servers import MAJORS, Server, find_server, required_majors, running_server

_SEED = os.environ.get("PARTWARDEN_KILLS_SEED") or secrets.token_hex(4)
_KILLS = 200
_SOAK_KILLS = int(os.environ.get("PARTWARDEN_SOAK_KILLS", "0"))
_PROPERTY = "kills"
_tallies: dict[tuple[str, str], Tally] = {}

TallyOf = Callable[[str], Tally]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What was killed where, and with which seed the moments were drawn, whichever process has done it."""
    told: dict[str, tuple[int, str]] = {}
    for report in (report for reports in terminalreporter.stats.values() for report in reports):
        for name, value in getattr(report, "user_properties", ()):
            if name == _PROPERTY:
                told[value[0]] = (value[1], value[2])
    if told:
        terminalreporter.section(f"{sum(kills for kills, _ in told.values())} kills")
        for line in sorted(line for _, line in told.values()):
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def seed() -> str:
    """What all moments are drawn from; PARTWARDEN_KILLS_SEED repeats a run, as far as time can be repeated."""
    print(f"PARTWARDEN_KILLS_SEED={_SEED}")  # noqa: T201
    return _SEED


@pytest.fixture(scope="session")
def times() -> int:
    """How many times over all is killed: once, in a soak more often."""
    return max(1, round(_SOAK_KILLS / _KILLS))


@pytest.fixture(scope="session", params=MAJORS, ids=lambda major: f"pg{major}")
def mortal_server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that nobody else uses, in which autovacuum is always about."""
    major: int = request.param
    if find_server(major) is None:
        reason = f"no PostgreSQL {major} here (scripts/build-server-roots.sh {major})"
        if major in required_majors():
            pytest.fail(reason)
        pytest.skip(reason)
    with running_server(major, tmp_path_factory.mktemp(f"pg{major}-mortal"), {"autovacuum_naptime": "1s"}) as server:
        yield server


@pytest.fixture(scope="session")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    """Where commands come from."""
    with Nursery(tmp_path_factory.mktemp("commands")) as started:
        yield started


@pytest.fixture(scope="session")
def templates(mortal_server: Server) -> dict[str, Template]:
    """The templates made so far on this server, by the name of their shape."""
    return {}


@pytest.fixture
def template(request: pytest.FixtureRequest, mortal_server: Server, templates: dict[str, Template]) -> Template:
    """A template of the shape that the test's work has; in a soak with so many rows that copying them takes a while."""
    shape: Shape = request.getfixturevalue("work").shape
    if _SOAK_KILLS:
        shape = replace(shape, rows=shape.rows * 20)
    if shape.name not in templates:
        templates[shape.name] = make_template(mortal_server, shape)
    return templates[shape.name]


@pytest.fixture
def tally_of(request: pytest.FixtureRequest, mortal_server: Server) -> Iterator[TallyOf]:
    """The tally of that name for this server, which is told at the end."""
    asked: set[tuple[str, str]] = set()

    def tally_of(name: str) -> Tally:
        key = (f"pg{mortal_server.major}", name)
        asked.add(key)
        return _tallies.setdefault(key, Tally(name))

    yield tally_of
    for server, name in asked:
        tally = _tallies[server, name]
        line = f"{server}  {tally}; PARTWARDEN_KILLS_SEED={_SEED}"
        request.node.user_properties.append((_PROPERTY, (f"{server} {name}", tally.kills.total(), line)))
