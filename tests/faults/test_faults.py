"""Each fault is found by the checks that are for it, and by no others."""

from __future__ import annotations

from partwarden import bundle
from partwarden.install import install
from tests.faults.conftest import Worlds
from tests.faults.page import Seen, note
from tests.faults.world import Fault, World, article_sees, findings, next_run_fails

# What only the database that pg_cron lives in can know.
_OF_JOBS = {check.id for check in bundle.checks() if "pg_cron" in check.needs}


def test_a_fault_is_found_by_the_checks_for_it_and_no_others(worlds: Worlds, fault: Fault) -> None:
    assert_found(worlds[fault.name], fault)


def test_a_fault_of_the_server_is_found_too(world_of_its_own: World, fault: Fault) -> None:
    assert_found(world_of_its_own, fault)


def assert_found(world: World, fault: Fault) -> None:
    """Cause the fault, and look at it from outside and from inside."""
    if fault.after is not None:
        fault.after(world)
    found = findings(world, fault)
    assert found == fault.expected[world.major]

    # The same from inside, but for what needs pg_cron, which lives elsewhere, and another's eyes.
    install(world.admin)
    for name, value in fault.thresholds.items():
        world.admin.execute(f"update partwarden.setting set {name} = '{value}'")
    inside = world.admin.execute(
        "select check_id from partwarden.run_checks() where skipped is null and check_id <> 'monitor-overdue'"
    ).fetchall()
    elsewhere = _OF_JOBS | fault.outside_only | {"monitor-overdue"}
    assert {check for (check,) in inside} == fault.expected[world.major] - elsewhere

    # In fairness: a job that is not itself at fault runs again, and the article's query sees it fail.
    is_seen = article_sees(world) or (not found & _OF_JOBS and next_run_fails(world, fault.command))
    note(fault, world.major, Seen(frozenset(found), article=is_seen))
