"""One look at a cluster: real checks, on a real server, over TLS that is verified."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from partwarden.aws.fleet.incident import Incident
from partwarden.aws.fleet.login import Login
from partwarden.aws.fleet.look import Look, look_at
from partwarden.aws.fleet.member import Member
from partwarden.findings import Status
from partwarden.health import Question
from partwarden.local.cluster import free_port
from tests.aws.fleet.tls import Authority
from tests.aws.fleet.world import USER, FleetServer


@pytest.fixture
def login(authority: Authority, tmp_path: Path) -> Login:
    file = tmp_path / "ca.pem"
    file.write_text(authority.pem)
    return Login(USER, file)


@pytest.fixture
def members(cluster_server: FleetServer) -> Iterator[list[Member]]:
    yield cluster_server.add_members(["one", "two"])
    cluster_server.remove_members(["one", "two"])


def look(member: Member, login: Login, seconds_left: float = 60) -> Look:
    return look_at(member, login, Question(timeout=20), seconds_left=lambda: seconds_left)


def both(members: list[Member]) -> Member:
    return Member("shop", "127.0.0.1", members[0].port, ("one", "two"))


def test_healthy_databases_have_nothing_to_tell(members: list[Member], login: Login) -> None:
    found = look(both(members), login)
    assert (found.status, found.found, found.is_whole) == (Status.OK, (), True)


def test_without_names_all_databases_that_let_the_user_in_are_looked_at(
    members: list[Member], login: Login, cluster_server: FleetServer
) -> None:
    with cluster_server.connect() as connection:
        connection.execute("revoke connect on database two from public")
    found = look(Member("shop", "127.0.0.1", members[0].port), login)
    assert {"one", "postgres"} <= set(found.reports)
    assert "two" not in found.reports
    assert "template1" not in found.reports


def test_trouble_is_found_as_partwarden_check_finds_it(
    members: list[Member], login: Login, cluster_server: FleetServer
) -> None:
    with cluster_server.connect("one") as connection:
        connection.execute("insert into app.events values (2, now() - interval '1 year')")
    found = look(both(members), login)
    assert [(each.database, each.check, each.severity) for each in found.found] == [
        ("one", "default-not-empty", "warning")
    ]


def test_database_that_is_not_there_is_one_finding_and_costs_the_others_nothing(
    members: list[Member], login: Login, cluster_server: FleetServer
) -> None:
    with cluster_server.connect("one") as connection:
        connection.execute("insert into app.events values (2, now() - interval '1 year')")
    member = Member("shop", "127.0.0.1", members[0].port, ("one", "nowhere"))
    found = look(member, login)
    assert sorted((each.check, each.object) for each in found.found) == [
        ("cannot-check", "nowhere"),
        ("default-not-empty", "app.events"),
    ]
    broken = next(each for each in found.found if each.check == "cannot-check")
    assert 'database "nowhere" does not exist' in broken.detail["cause"]
    assert broken.remedy == f"partwarden check iam:{USER}@127.0.0.1:{member.port}/nowhere"


@pytest.mark.parametrize("databases", [(), ("one", "two")])
def test_cluster_where_nobody_listens_is_one_finding(login: Login, databases: tuple[str, ...]) -> None:
    found = look(Member("shop", "127.0.0.1", free_port(), databases), login)
    [only] = found.found
    assert (only.check, only.object, only.severity) == ("cannot-check", "shop", "critical")
    assert "refused" in only.detail["cause"]


def test_server_that_nobody_vouches_for_is_not_talked_to(
    members: list[Member], tmp_path: Path, cluster_server: FleetServer
) -> None:
    file = tmp_path / "others.pem"
    file.write_text(Authority("others").pem)
    [only] = look(members[0], Login(USER, file)).found
    assert "certificate verify failed" in only.detail["cause"]


def test_what_is_said_of_a_database_holds_until_it_is_looked_at_again(
    members: list[Member], login: Login, cluster_server: FleetServer
) -> None:
    with cluster_server.connect("one") as connection:
        connection.execute("insert into app.events values (2, now() - interval '1 year')")
    found = look(both(members), login)
    at = datetime(2026, 3, 1, tzinfo=UTC)
    known = Incident("one", "gap", "app.events", "warning", "a gap", {}, None, at, at, at, "warning")
    assert found.shows_absence(known)
    nobody = look(Member("shop", "127.0.0.1", free_port(), ("one", "two")), login)
    assert not nobody.shows_absence(known)
    other = look(Member("shop", "127.0.0.1", members[0].port, ("two", "nowhere")), login)
    assert other.shows_absence(known)  # it is no longer one of those to be looked at
    partly = look(Member("shop", "127.0.0.1", members[0].port, ("one", "nowhere")), login)
    assert partly.shows_absence(known)


def test_trouble_with_a_job_is_told_once_though_two_databases_see_it(
    members: list[Member], login: Login, cluster_server: FleetServer
) -> None:
    with cluster_server.connect() as connection:
        connection.execute(
            "select cron.schedule_in_database('never', '0 0 30 2 *', 'call partman.run_maintenance_proc()', 'one')"
        )
        connection.execute(f"alter role {USER} bypassrls")  # it is shown the jobs of others
    try:
        found = look(Member("shop", "127.0.0.1", members[0].port, ("one", "postgres")), login)
        [job] = [each for each in found.found if each.check == "job-never-fires"]
        assert job.database == "postgres"
        alone = look(members[0], login)
        assert [each.key for each in alone.found if each.check == "job-never-fires"] == [job.key]
        at = datetime(2026, 3, 1, tzinfo=UTC)
        known = Incident(*job.key, "critical", "", {}, None, at, at, at, "critical", seen_from="one")
        assert look(members[0], login).shows_absence(known)
        two = Member("shop", "127.0.0.1", members[0].port, ("two", "postgres"))
        assert look(two, login).shows_absence(replace(known, check="job-stuck"))
    finally:
        with cluster_server.connect() as connection:
            connection.execute("select cron.unschedule('never')")
            connection.execute(f"alter role {USER} nobypassrls")


def test_when_time_is_short_what_was_not_looked_at_is_said(members: list[Member], login: Login) -> None:
    left = iter([60.0, 1.0])
    found = look_at(both(members), login, Question(timeout=20), seconds_left=lambda: next(left))
    [only] = found.found
    assert (only.check, only.object) == ("look-cut-short", "shop")
    assert len(found.unseen) == 1
