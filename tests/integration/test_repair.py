"""partwarden repair: what is wrong with a set is found, said, mended, and looked at again."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator

import pytest

from partwarden.database import Connection
from partwarden.draining import Drain, Event, Method, Step, drain
from partwarden.repair import Repair, diagnose, repair
from tests.commands import partwarden
from tests.integration.test_drain import contents, events, fill, in_default, leftovers
from tests.partition_sets import daily_set, partitions, partman_version, put_row_in_the_way, want_one_more_partition
from tests.servers import Database


@pytest.fixture
def owner(database: Database) -> Iterator[Connection]:
    """An ordinary role's connection; nothing of partwarden is in the database."""
    with database.connect_owner() as connection:
        connection.execute("create schema app")
        yield connection


def run(database: Database, *options: str) -> subprocess.CompletedProcess[str]:
    return partwarden("repair", "-d", database.owner_dsn, *options)


def test_a_row_in_the_way_is_moved_and_maintenance_goes_on(database: Database, owner: Connection) -> None:
    daily_set(owner, "app.a")
    daily_set(owner, "app.b")
    put_row_in_the_way(owner, "app.a")
    want_one_more_partition(owner)
    before = len(partitions(owner, "app.a"))

    treatments = diagnose(database.owner_dsn, Repair())
    assert "app.a" in [each.name for each in treatments]
    outcomes = repair(database.owner_dsn, treatments, Repair())

    assert [(each.name, each.problem, each.left) for each in outcomes if each.name == "app.a"] == [("app.a", None, ())]
    assert in_default(owner, "app.a_default") == 0
    assert len(partitions(owner, "app.a")) > before


def test_nothing_wrong_is_nothing_to_do(database: Database, owner: Connection) -> None:
    daily_set(owner, "app.a")
    done = run(database, "--yes")
    assert (done.returncode, done.stdout.strip()) == (0, "nothing is wrong that a repair would mend")


def test_a_dry_run_says_what_is_wrong_and_what_would_be_done(database: Database, owner: Connection) -> None:
    events(owner)
    fill(owner)
    done = run(database, "app.events", "--dry-run")
    assert done.returncode == 1
    assert "rows wait in the default partition of app.events" in done.stdout.replace("\n", " ")
    assert "1. move 3,000 rows out of app.events_default into" in done.stdout
    assert in_default(owner, "app.events_default") == 3000


def test_without_a_terminal_it_wants_a_yes(database: Database, owner: Connection) -> None:
    events(owner)
    fill(owner)
    done = run(database, "app.events")
    assert done.returncode == 3
    assert "say --yes" in done.stderr
    assert in_default(owner, "app.events_default") == 3000


def test_what_was_done_is_told_as_json(database: Database, owner: Connection) -> None:
    events(owner)
    fill(owner)
    before = contents(owner, "app.events")
    done = run(database, "app.events", "--yes", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert told[0]["event"] == "treatment"
    assert told[-1]["event"] == "outcome"
    assert told[-1]["left"] == []
    assert "moved 3,000 rows" in told[-1]["done"][0]
    assert contents(owner, "app.events") == before


def test_a_stale_undo_is_cleared(database: Database, owner: Connection) -> None:
    daily_set(owner, "app.a")
    owner.execute("update partman.part_config set undo_in_progress = true")
    outcomes = repair(database.owner_dsn, diagnose(database.owner_dsn, Repair()), Repair())
    assert [each.left for each in outcomes] == [()]
    assert owner.execute("select undo_in_progress from partman.part_config").fetchone() == (False,)


def test_a_gap_is_filled(database: Database, owner: Connection) -> None:
    daily_set(owner, "app.a")
    children = partitions(owner, "app.a")
    owner.execute(f"drop table app.{children[3]}".encode())
    outcomes = repair(database.owner_dsn, diagnose(database.owner_dsn, Repair()), Repair())
    assert [(each.problem, each.left) for each in outcomes] == [(None, ())]
    assert partitions(owner, "app.a") == children


def test_a_partition_that_is_vacuumed_is_waited_for(database: Database, owner: Connection) -> None:
    """pg_partman's ANALYZE can't lock it meanwhile, and the error that pg_partman makes of that has a code of its own."""
    daily_set(owner, "app.a")
    children = partitions(owner, "app.a")
    owner.execute(f"drop table app.{children[3]}".encode())
    treatments = diagnose(database.owner_dsn, Repair())
    with database.connect_owner() as vacuum:
        vacuum.execute("begin")
        vacuum.execute(f"lock table app.{children[1]} in share update exclusive mode".encode())
        ends = threading.Timer(1, vacuum.rollback)
        ends.start()
        outcomes = repair(database.owner_dsn, treatments, Repair())
        ends.join()
    assert [(each.problem, each.left) for each in outcomes] == [(None, ())]
    assert partitions(owner, "app.a") == children


def test_rows_of_an_interrupted_move_come_back(database: Database, owner: Connection) -> None:
    if not partman_version(owner).startswith("5.5"):
        pytest.skip("partition_data_async() came with pg_partman 5.5")
    events(owner)
    fill(owner)
    before = contents(owner, "app.events")
    owner.execute("call partman.partition_data_async('app.events', p_loop_count => 3, p_interval => '6 hours')")
    assert contents(owner, "app.events") != before
    assert owner.execute("select count(*) > 0 from app.partman_tmp_storage_events").fetchone() == (True,)

    outcomes = repair(database.dsn, diagnose(database.dsn, Repair()), Repair())

    assert [(each.problem, each.left) for each in outcomes] == [(None, ())]
    assert contents(owner, "app.events") == before
    assert in_default(owner, "app.events_default") == 0
    assert owner.execute("select to_regclass('app.partman_tmp_storage_events')").fetchone() == (None,)
    assert leftovers(owner) == []


def test_one_set_that_cannot_be_repaired_costs_the_others_nothing(database: Database, owner: Connection) -> None:
    daily_set(owner, "app.a")
    daily_set(owner, "app.b")
    for name in ("app.a", "app.b"):
        put_row_in_the_way(owner, name)
    wish = Repair(window=0.3)
    treatments = diagnose(database.owner_dsn, wish)
    with database.connect_owner() as reader:
        pid = reader.info.backend_pid
        reader.execute("begin")
        reader.execute("select count(*) from app.a")
        outcomes = {each.name: each for each in repair(database.owner_dsn, treatments, wish)}
    problem = outcomes["app.a"].problem
    assert problem is not None
    assert f"process {pid} " in problem.problem
    assert (outcomes["app.b"].problem, outcomes["app.b"].left) == (None, ())


@pytest.mark.parametrize("step", ["comparing", "cutting over", "dropping the old default partition"])
def test_a_repair_goes_on_with_a_drain_that_was_interrupted(database: Database, owner: Connection, step: str) -> None:
    """Also with one that has moved all rows already, and has only to clear away."""

    class Killed(Exception):
        pass

    def kill_at_step(event: Event) -> None:
        if event == Step(step):
            raise Killed

    events(owner)
    fill(owner)
    before = contents(owner, "app.events")
    with pytest.raises(Killed):
        drain(database.owner_dsn, Drain("app.events", method=Method.SWAP), kill_at_step)
    (treatment,) = diagnose(database.owner_dsn, Repair("app.events"))
    assert treatment.goes_on == (step == "dropping the old default partition")
    (outcome,) = repair(database.owner_dsn, [treatment], Repair("app.events"))
    assert (outcome.problem, outcome.left) == (None, ())
    assert leftovers(owner) == []
    assert contents(owner, "app.events") == before
