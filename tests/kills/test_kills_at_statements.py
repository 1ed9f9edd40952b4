"""Killed before every statement that a drain sends: there are only so many, so each of them is tried.

Each server takes a third of them; a soak has each take all.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from partwarden.draining import Drain, Event, Finished, Method, Planned, drain
from partwarden.errors import DrainRefused
from tests.kills.conftest import TallyOf
from tests.kills.rounds import Tally
from tests.kills.shapes import PARENT, RICH
from tests.kills.works import DRAIN_BY_SWAP, Work
from tests.kills.world import Template, World, world_of
from tests.servers import MAJORS

_SMALL = replace(RICH, name="small", days=range(-5, -3), rows=200, staying=3)


class KilledError(BaseException):
    """The client is gone: nothing that it would do about an error is done."""


@pytest.fixture
def work() -> Work:
    """Only for its shape."""
    return replace(DRAIN_BY_SWAP, shape=_SMALL)


@pytest.mark.parametrize("method", [Method.SWAP, Method.BATCH])
def test_a_drain_that_is_killed_before_any_of_its_statements_goes_on(
    method: Method, work: Work, template: Template, tally_of: TallyOf
) -> None:
    tally = tally_of("before a statement")
    with world_of(template, 0, is_busy=False) as world, _killed_before(None) as statements:
        _drain(world, method, statements)
        world.assert_as_it_should_be()
    for number in range(statements.sent):
        if number % len(MAJORS) == MAJORS.index(template.server.major) or "PARTWARDEN_SOAK_KILLS" in os.environ:
            _kill_before(number, method, template, tally)


def _kill_before(number: int, method: Method, template: Template, tally: Tally) -> None:
    with world_of(template, number, is_busy=False) as world:
        # The end of a transaction on a connection that is closed turns the one error into the other.
        with _killed_before(number) as statements, suppress(KilledError, DrainRefused):
            _drain(world, method, statements)
        if statements.has_killed:  # one that has to try again sends a few more of them than another
            tally.add("kill_the_client", method)
        with world.database.connect_owner() as owner:
            world.load.write_some(owner, 5)
        _drain(world, method)
        try:
            world.assert_as_it_should_be()
        except AssertionError as error:
            raise AssertionError(f"killed before statement {number} ({statements.last}): {error}") from error


class _Statements:
    """Counts the statements of all connections, once it has been told to begin, and kills before one of them."""

    def __init__(self, fatal: int | None) -> None:
        self._fatal = fatal
        self._has_begun = False
        self.sent = 0
        self.has_killed = False
        self.last = ""

    def begin(self) -> None:
        self._has_begun = True

    def note(self, connection: psycopg.Connection[Any], statement: object) -> None:
        if not self._has_begun:
            return
        if self.sent == self._fatal:
            self.has_killed = True
            self.last = " ".join(str(statement).split())[:60]
            connection.close()
            raise KilledError
        self.sent += 1


@contextmanager
def _killed_before(number: int | None) -> Iterator[_Statements]:
    statements = _Statements(number)
    execute = psycopg.Connection.execute

    def noted(connection: psycopg.Connection[Any], query: Any, *arguments: Any, **named: Any) -> Any:
        statements.note(connection, query)
        return execute(connection, query, *arguments, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(psycopg.Connection, "execute", noted)
        yield statements


def _drain(world: World, method: Method, statements: _Statements | None = None) -> Finished:
    def tell(event: Event) -> None:
        if statements is not None and isinstance(event, Planned):
            statements.begin()

    return drain(world.database.owner_dsn, Drain(PARENT, method=method, max_new_partitions=50, jobs=1), tell)
