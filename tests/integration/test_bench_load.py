"""The load of the benchmarks notices what it is there for: a wrong answer, a stall, a lost row; and nothing else."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from bench.filled_set import DEFAULT, PARENT, FilledSet, fill
from bench.load import Kind, LoadFailed, Recorded, under_load
from bench.stalls import loaded

from partwarden.database import Connection
from tests.servers import Database
from tests.waiting import wait_until

pytestmark = pytest.mark.one_server

ROWS = 3_000


@pytest.fixture
def filled(database: Database) -> FilledSet:
    return fill(database, ROWS)


def wait_for_counts(connection: Connection, number: int) -> None:
    """Until so many counts began from now on; all but the last of them have ended then."""
    begun = set()

    def look() -> bool:
        row = connection.execute(
            "select query_start, now() from pg_stat_activity where application_name = %s and datname = current_database()",
            (f"load: {Kind.COUNT}",),
        ).fetchone()
        assert row is not None
        begun.add(row[0])
        return len(begun) > number

    wait_until(look, f"{number} counts had begun", seconds=60)


def lost(filled: FilledSet, recorded: Recorded) -> tuple[int, int]:
    with filled.database.connect_owner() as owner:
        return recorded.rows_lost(owner, loaded(filled)), recorded.updates_lost(owner, loaded(filled))


def test_a_set_that_is_left_alone_gives_right_answers_only(filled: FilledSet) -> None:
    with filled.database.connect() as superuser, under_load(loaded(filled)) as recorded:
        wait_for_counts(superuser, 5)
    assert recorded.answers >= 4
    assert (recorded.wrong, recorded.furthest, recorded.updates_of_nothing) == (0, 0, 0)
    assert all(felt.done > 0 and not felt.errors for felt in recorded.felt.values())
    assert recorded.inserted > 0
    assert recorded.updated > 0
    assert lost(filled, recorded) == (0, 0)


def test_a_lock_that_is_held_is_felt_by_everybody_for_as_long(filled: FilledSet) -> None:
    waiting = "select count(*) from pg_stat_activity where starts_with(application_name, 'load: ') and wait_event_type = 'Lock'"
    with (
        filled.database.connect() as superuser,
        filled.database.connect_owner() as owner,
        under_load(loaded(filled)) as recorded,
        owner.transaction(),
    ):
        owner.execute(f"lock table {PARENT} in access exclusive mode".encode())
        wait_until(lambda: superuser.execute(waiting).fetchone() == (len(Kind),), "everybody waited")
        time.sleep(0.3)
    assert {kind for kind, felt in recorded.felt.items() if felt.longest >= 0.3} == set(Kind)
    assert recorded.wrong == 0
    assert lost(filled, recorded) == (0, 0)


@pytest.mark.parametrize(
    ("statement", "out"),
    [
        (f"delete from {DEFAULT} where event_id <= 1000", 1_000),
        (f"insert into {PARENT} select event_id + 100000, created_at from {DEFAULT} where event_id <= 1000", -1_000),
    ],
    ids=["too few rows", "too many"],
)
def test_rows_that_come_or_go_unknown_to_the_load_make_wrong_answers(
    filled: FilledSet, statement: str, out: int
) -> None:
    with filled.database.connect() as superuser, under_load(loaded(filled)) as recorded:
        superuser.execute(statement.encode())
        wait_for_counts(superuser, 5)
    assert recorded.wrong >= 3
    assert recorded.furthest > 900  # by as many as were being inserted at the moment it is less
    rows, updates = lost(filled, recorded)
    assert rows == out
    assert (recorded.updates_of_nothing > 0) == (updates > 0) == (out > 0)


def test_statements_that_fail_are_kept_apart_from_rows_that_are_lost(filled: FilledSet) -> None:
    with filled.database.connect() as superuser, under_load(loaded(filled)) as recorded:
        superuser.execute(
            f"alter table {DEFAULT} add constraint closed check (event_id < 1000000000000) not valid".encode()
        )
        wait_for_counts(superuser, 5)
    (told,) = recorded.felt[Kind.INSERT_DEFAULT].errors
    assert "closed" in told
    assert recorded.wrong == 0
    assert lost(filled, recorded) == (0, 0)


def test_a_load_that_breaks_down_is_worth_nothing(filled: FilledSet) -> None:
    with (
        pytest.raises(LoadFailed, match=f"{Kind.UPDATE}: IndexError"),
        under_load(replace(loaded(filled), rows_in_default=0)),
    ):
        pass
