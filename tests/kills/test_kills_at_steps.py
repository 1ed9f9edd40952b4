"""Killed in each step that a drain tells of: at its beginning, and where it waits for a lock."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from tests.kills.conftest import TallyOf
from tests.kills.nursery import Nursery
from tests.kills.rounds import Tally
from tests.kills.works import (
    DRAIN_BY_SWAP,
    CommandRun,
    Run,
    Weapon,
    Work,
    crash_the_server,
    interrupt_the_client,
    kill_the_client,
    terminate_a_backend,
)
from tests.kills.world import Template, World, world_of

# In the order in which a drain takes them.
_WEAPONS: dict[str, Weapon] = {
    "watching for changes": kill_the_client,
    "copying": terminate_a_backend,
    "building indexes": crash_the_server,
    "comparing": interrupt_the_client,
    "checking foreign keys": terminate_a_backend,
    "cutting over": kill_the_client,
    "dropping the old default partition": crash_the_server,
}


@pytest.fixture
def work() -> Work:
    """What is killed."""
    return DRAIN_BY_SWAP


@pytest.fixture
def tally(tally_of: TallyOf) -> Tally:
    """Where all of these are counted."""
    return tally_of("at a step of a drain")


@pytest.fixture
def dice(seed: str, request: pytest.FixtureRequest) -> random.Random:
    """What is random in these."""
    return random.Random(f"{seed} {request.node.name}")


def test_a_drain_that_is_killed_when_it_begins_a_step_goes_on_with_it(
    work: Work, template: Template, nursery: Nursery, dice: random.Random, tally: Tally
) -> None:
    with world_of(template, dice.getrandbits(32)) as world:
        for step, weapon in _WEAPONS.items():
            run = work.start(world, nursery)
            _await_place(run, step)
            _kill(weapon, world, run, dice, tally)
        work.run_to_the_end(world, nursery)
        world.assert_as_it_should_be()


@pytest.mark.parametrize("mode", ["row exclusive", "access share"])
def test_a_drain_that_is_killed_while_it_waits_for_a_lock_leaves_nobody_waiting(
    mode: str, work: Work, template: Template, nursery: Nursery, dice: random.Random, tally: Tally
) -> None:
    """A writer keeps it from watching the default partition, a reader from exchanging it."""
    with world_of(template, dice.getrandbits(32)) as world:
        with _holding(world, mode):
            run = work.start(world, nursery)
            _await_place(run, "waiting")
            _kill(kill_the_client, world, run, dice, tally)
        work.run_to_the_end(world, nursery)
        world.assert_as_it_should_be()


def test_a_drain_that_goes_on_before_the_server_has_noticed_that_the_last_one_is_dead_loses_nothing(
    work: Work, template: Template, nursery: Nursery, dice: random.Random, tally: Tally
) -> None:
    with world_of(template, dice.getrandbits(32)) as world:
        for _ in range(3):
            run = work.start(world, nursery)
            _await_place(run, "copying")
            _kill(kill_the_client, world, run, dice, tally)
        work.run_to_the_end(world, nursery)
        world.assert_as_it_should_be()


def _await_place(run: Run, place: str) -> None:
    """Return as soon as it is there, with its process stopped, so that it stays there; or when it is past it."""
    assert isinstance(run, CommandRun)
    deadline = time.monotonic() + 60
    while run.place() != place:
        assert time.monotonic() < deadline, f"it never came to {place}: {run.said()}"
        if run.wait(0.001):
            return
    run.command.signal(signal.SIGSTOP)


def _kill(weapon: Weapon, world: World, run: Run, dice: random.Random, tally: Tally) -> None:
    assert isinstance(run, CommandRun)
    place = run.place()
    weapon(world, run, dice)
    run.command.signal(signal.SIGCONT)
    assert run.wait(30), run.said()
    if not run.has_done_it():
        tally.add(weapon.__name__, place)
    world.assert_nothing_lost()


@contextmanager
def _holding(world: World, mode: str) -> Iterator[None]:
    with psycopg.connect(world.database.dsn) as holder:
        holder.execute(f"lock table app.events in {mode} mode".encode())
        yield
        holder.rollback()
