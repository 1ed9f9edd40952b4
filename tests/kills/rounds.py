"""Kill, run again, kill again, and at last let it end; then look whether anything is wrong. As often as it takes."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.kills.nursery import Nursery
from tests.kills.works import Run, Weapon, Work
from tests.kills.world import Template, World, world_of


@dataclass
class Tally:
    """What has been killed, by what and where, and what a run took that nobody disturbed."""

    work: str
    kills: Counter[str] = field(default_factory=Counter)
    places: Counter[str] = field(default_factory=Counter)
    rounds: int = 0
    undisturbed: float = 0
    seconds: float = 0
    transactions: int = 0
    comparisons: int = 0

    def add(self, weapon: str, place: str) -> None:
        """One more."""
        self.kills[weapon] += 1
        self.places[place] += 1

    def __str__(self) -> str:
        kills = ", ".join(f"{number} x {weapon.replace('_', ' ')}" for weapon, number in sorted(self.kills.items()))
        places = ", ".join(f"{place} {number}" for place, number in self.places.most_common())
        told = f"{self.work}: {self.kills.total()} kills ({kills}); in: {places}"
        if self.rounds:
            told += (
                f"; {self.rounds} rounds, {self.seconds:.0f} s; undisturbed {self.undisturbed:.2f} s;"
                f" {self.transactions} transactions, {self.comparisons} comparisons"
            )
        return told


def kill_again_and_again(
    work: Work, template: Template, nursery: Nursery, seed: str, tally: Tally, times: int = 1
) -> None:
    """All kills of this work, ``times`` over; each moment is drawn from the time that a run takes alone."""
    dice = random.Random(seed)
    started = time.monotonic()
    _measure(work, template, nursery, dice, tally)
    waiting = _kills(work, dice, times)
    kill = next(waiting, None)
    while kill is not None:
        with world_of(template, dice.getrandbits(32)) as world:
            for number in range(dice.randint(1, 5)):
                if kill is None:
                    break
                weapon, part = kill
                # One that goes on has less to do than one that begins.
                moment = part * tally.undisturbed * (0.5 if number else 1)
                if not _kill_one(work, world, nursery, weapon, moment, dice, tally):
                    kill = (weapon, 0.9 * dice.random())  # it was too late
                    break
                kill = next(waiting, None)
            work.run_to_the_end(world, nursery)
            _end(world, tally)
    tally.seconds = time.monotonic() - started


def _kills(work: Work, dice: random.Random, times: int) -> Iterator[tuple[Weapon, float]]:
    """Each weapon as often as it is wanted, in any order; the moments are spread evenly, each a part of the whole run."""
    for _ in range(times):
        weapons = [weapon for weapon, number in work.kills.items() for _ in range(number)]
        parts = [(number + dice.random()) / len(weapons) for number in range(len(weapons))]
        dice.shuffle(weapons)
        dice.shuffle(parts)
        yield from zip(weapons, parts, strict=True)


def _measure(work: Work, template: Template, nursery: Nursery, dice: random.Random, tally: Tally) -> None:
    with world_of(template, dice.getrandbits(32)) as world:
        begun = time.monotonic()
        work.run_to_the_end(world, nursery)
        tally.undisturbed = time.monotonic() - begun
        _end(world, tally)


def _kill_one(
    work: Work, world: World, nursery: Nursery, weapon: Weapon, moment: float, dice: random.Random, tally: Tally
) -> bool:
    """Whether it was killed, and not too late. Whatever it was, nothing is lost."""
    run = work.start(world, nursery)
    place = "too late"
    if not run.wait(moment):
        place = run.place()
        weapon(world, run, dice)
        _await_end(run)
    is_done = run.has_done_it()
    world.assert_nothing_lost()
    if not is_done:
        tally.add(weapon.__name__, place)
    return not is_done


def _await_end(run: Run) -> None:
    assert run.wait(30), f"it goes on for 30 s after it has been killed: {run.said()}"


def _end(world: World, tally: Tally) -> None:
    world.assert_as_it_should_be()
    tally.rounds += 1
    tally.transactions += world.load.transactions
    tally.comparisons += world.load.comparisons
