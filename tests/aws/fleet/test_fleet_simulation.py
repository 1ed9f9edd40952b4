"""A fleet of many databases in three rounds: each is looked at once a round, and each trouble is told of once.

PARTWARDEN_FLEET_DATABASES sets how many (40): databases on the PostgreSQL servers of this machine, each a cluster of its own
in Parameter Store; dispatcher and workers are the deployed functions, in a local AWS with its queue, table, topic and IAM.
"""

from __future__ import annotations

import os
import random
import sys
import time
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from partwarden.aws.account import Account
from partwarden.aws.fleet.member import Member, Order, round_of
from partwarden.aws.fleet.wish import Wish
from partwarden.local.cluster import free_port
from tests.aws.fleet.home import Home
from tests.aws.fleet.installed import package_for_here
from tests.aws.fleet.local_fleet import LocalFleet, local_fleet
from tests.aws.fleet.tls import Authority
from tests.aws.fleet.world import fleet_server
from tests.servers import MAJORS, find_server
from tests.waiting import wait_until

DATABASES = int(os.environ.get("PARTWARDEN_FLEET_DATABASES", "40"))
UNREACHABLE = 0.05
DELIVERED_TWICE = 0.01
MANY = 200
WORKERS = 2 if DATABASES < MANY else 4
SECONDS = 60 + DATABASES


@pytest.fixture
def members(
    request: pytest.FixtureRequest, authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[Member]]:
    """A few on the server that other tests use, too; many on one of each version, 8 MB each."""
    names = [f"cluster-{number:04}" for number in range(DATABASES)]
    with ExitStack() as stack:
        if DATABASES < MANY:
            servers = [request.getfixturevalue("cluster_server")]
        else:
            servers = [
                stack.enter_context(
                    fleet_server(major, tmp_path_factory.mktemp(f"fleet-{major}"), authority, on_disk=True)
                )
                for major in MAJORS
                if find_server(major) is not None
            ]
        made = [
            member
            for index, server in enumerate(servers)
            for member in server.add_members(names[index :: len(servers)])
        ]
        yield sorted(made, key=lambda member: member.name)
        if DATABASES < MANY:
            servers[0].remove_members(names)


@pytest.mark.timeout(4 * SECONDS + 120)
def test_each_database_is_looked_at_once_a_round_and_each_trouble_told_once(
    ministack_account: Account, members: list[Member], authority: Authority
) -> None:
    draw = random.Random(DATABASES)
    broken = {
        each.name: index for index, each in enumerate(draw.sample(members, max(round(UNREACHABLE * DATABASES), 2)))
    }
    home = Home.make(ministack_account)
    nobody = free_port()
    listed = [
        # One half has nobody who listens, the other a database that is not there.
        member if member.name not in broken
        else replace(member, port=nobody) if broken[member.name] % 2
        else replace(member, databases=("not-there",))
        for member in members
    ]  # fmt: skip
    home.list_members(listed)
    wish = Wish(emails=("dba@example.com",), every_minutes=60)
    with local_fleet(home, wish, package_for_here(authority.pem), WORKERS) as fleet:
        began = datetime.now(UTC) - timedelta(minutes=30)
        looks = Looks(fleet, draw)

        looks.make(began, listed)
        assert Counter(looks.mails) == told("CRITICAL", listed, broken)

        looks.make(began + timedelta(minutes=1), listed)
        assert looks.mails == []

        home.list_members(members)  # mended
        fleet.forget_list()
        looks.make(began + timedelta(minutes=2), members)
        assert Counter(looks.mails) == told("RESOLVED", listed, broken)
        statuses = Counter(entry.status for entry, _, _ in fleet.entries().values())
        assert statuses == {"ok": DATABASES}


class Looks:
    """Rounds, one after the other, and what came of the newest."""

    def __init__(self, fleet: LocalFleet, draw: random.Random) -> None:
        self._fleet = fleet
        self._draw = draw
        self._rounds = 0
        self._twice = 0
        self.mails: list[str] = []

    def make(self, at: datetime, members: list[Member]) -> None:
        """Have everybody looked at; some orders are delivered twice, at once or when the first is through."""
        began = time.monotonic()
        again = [
            Order(round_of(at), each) for each in self._draw.sample(members, max(round(DELIVERED_TWICE * DATABASES), 2))
        ]
        self._fleet.send_again(again[::2])
        answer = self._fleet.dispatch(at)
        dispatched = time.monotonic() - began
        assert answer["members"] == DATABASES
        self._fleet.wait_until_idle(SECONDS)
        seconds = time.monotonic() - began
        self._fleet.send_again(again[1::2])
        self._fleet.wait_until_idle(SECONDS)
        self._rounds += 1
        self._twice += len(again)
        entries = self._fleet.entries()
        assert len(entries) == DATABASES
        assert Counter(looks for _, _, looks in entries.values()) == {self._rounds: DATABASES}
        # A look that came to nothing, since AWS did not answer in time, say, is begun again. This machine may be busy.
        begun_again = sum(claims for _, claims, _ in entries.values()) - self._rounds * DATABASES
        assert begun_again <= DATABASES / 100
        assert {entry.round for entry, _, _ in entries.values()} == {round_of(at)}
        assert self._fleet.given_up() == 0
        # A worker's log is there a moment after what it tells of.
        expected = self._rounds * DATABASES + self._twice
        wait_until(lambda: self._fleet.outcomes().total() >= expected, "every look is in the log")
        outcomes = self._fleet.outcomes()
        assert outcomes["looked"] == self._rounds * DATABASES
        assert outcomes["done"] + outcomes["busy"] == self._twice
        assert set(outcomes) <= {"looked", "done", "busy", "crashed"}
        self.mails = self._fleet.take_mails()
        times = sorted(line["milliseconds"] for line in self._fleet.log() if line.get("outcome") == "looked")[
            -DATABASES:
        ]
        sys.stdout.write(
            f"round {self._rounds}: {DATABASES} databases, dispatched in {dispatched:.1f} s, looked at in {seconds:.1f} s, "
            f"{WORKERS} workers, a look {times[len(times) // 2]} ms (median), {len(again)} orders delivered twice, "
            f"{len(self.mails)} mails; since the beginning: {dict(outcomes)}, {begun_again} looks begun again\n"
        )


def told(how: str, members: list[Member], broken: Collection[str]) -> dict[str, int]:
    """One mail for each that is broken."""
    return {
        f"[partwarden] {how} {each.name}/{each.databases[0]}: {each.name} cannot-check": 1
        for each in members
        if each.name in broken
    }
