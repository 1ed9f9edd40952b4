"""Killed anywhere, by anything, and run again: nothing is lost, nothing is doubled, nothing is left."""

from __future__ import annotations

import pytest

from tests.kills.conftest import TallyOf
from tests.kills.nursery import Nursery
from tests.kills.rounds import kill_again_and_again
from tests.kills.works import WORKS, Work
from tests.kills.world import Template


@pytest.mark.parametrize("work", WORKS, ids=lambda work: work.name)
def test_whatever_is_killed_is_done_as_if_nothing_had_happened_when_it_is_run_again(
    work: Work, template: Template, nursery: Nursery, seed: str, times: int, tally_of: TallyOf
) -> None:
    tally = tally_of(work.name)
    kill_again_and_again(work, template, nursery, f"{seed} {template.server.major} {work.name}", tally, times)
    assert tally.kills.total() == times * sum(work.kills.values())
