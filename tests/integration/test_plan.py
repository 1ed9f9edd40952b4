"""partwarden plan and apply: one file against a real database."""

from __future__ import annotations

from pathlib import Path

import pytest

from partwarden.config import Config, read_config
from partwarden.database import Connection
from partwarden.planning import Plan, Step, apply, plan
from tests.partition_sets import partitions
from tests.servers import Database


@pytest.fixture
def owner(database: Database) -> Connection:
    with database.connect_owner() as connection:
        yield connection


def written(folder: Path, database: Database, text: str) -> Config:
    """The file's text for one database, read."""
    file = folder / "partwarden.yaml"
    file.write_text(f"databases:\n  - name: app\n    dsn: {database.owner_dsn}\n" + text)
    return read_config(file)


def applied(config: Config, *, allow_destroy: bool = False) -> list[Step]:
    """Apply the file; it has to come to its end, and then nothing is left to do."""
    (result,) = apply(config, plan(config), lambda *_: None, allow_destroy=allow_destroy)
    assert result.error is None, result
    again = plan(config)
    assert again.databases[0].error is None
    assert again.databases[0].obstacles == ()
    assert list(again.steps) == []
    return list(result.done)


def make_table(owner: Connection, name: str, *, by: str = "created_at") -> None:
    owner.execute("create schema if not exists app")
    owner.execute(
        f"create table app.{name} (id bigint not null, created_at timestamptz not null, note text, "
        f"primary key (id, created_at)) partition by range ({by})"
    )


def test_a_new_set_is_made_and_a_second_plan_finds_nothing(
    tmp_path: Path, database: Database, owner: Connection
) -> None:
    make_table(owner, "events")
    config = written(
        tmp_path,
        database,
        """
    partition_sets:
      - table: app.events
        control: created_at
        interval: 1 day
        premake: 7
        infinite: true
        retention: {keep: 13 months, then: drop}
""",
    )
    (step,) = applied(config)
    assert (step.kind, step.action, step.object) == ("partition set", "add", "app.events")
    assert len(partitions(owner, "app.events")) > 7


def test_sub_partitions_are_made_and_their_settings_follow_the_file(
    tmp_path: Path, database: Database, owner: Connection
) -> None:
    make_table(owner, "events")
    text = """
    partition_sets:
      - table: app.events
        control: created_at
        interval: 1 month
        premake: 2
        infinite: true
        sub: {control: id, interval: 10000, premake: PREMAKE, retention: {keep: KEEP, then: detach}}
"""
    first = text.replace("PREMAKE", "3").replace("KEEP", "100000")
    assert len(applied(written(tmp_path, database, first))) == 1
    subs = owner.execute(
        "select premake, retention from partman.part_config where parent_table <> 'app.events'"
    ).fetchall()
    assert set(subs) == {(3, "100000")}
    config = written(tmp_path, database, text.replace("PREMAKE", "5").replace("KEEP", "50000"))
    (result,) = apply(config, plan(config), lambda *_: None)
    assert result.error is not None
    assert "--allow-destroy" in str(result.error.remedy)
    (step,) = applied(config, allow_destroy=True)
    assert [(change.key, change.before, change.after) for change in step.changes] == [
        ("sub.premake", "3", "5"),
        ("sub.retention.keep", "100000", "50000"),
    ]
    assert set(
        owner.execute(
            "select premake, retention from partman.part_config where parent_table <> 'app.events'"
        ).fetchall()
    ) == {(5, "50000")}


def test_a_set_that_nobody_manages_is_adopted_with_the_partitions_that_it_has(
    tmp_path: Path, database: Database, owner: Connection
) -> None:
    make_table(owner, "events")
    days = owner.execute(
        "select to_char(day, 'YYYYMMDD'), to_char(day, 'YYYY_MM_DD'), day::date::text, (day + interval '1 day')::date::text "
        "from generate_series(date_trunc('day', now()) - interval '3 days', now() + interval '1 day', '1 day') day"
    ).fetchall()
    for suffix, suffix_4, lower, upper in days:
        name = f"events_p{suffix_4 if database.server.major == 15 else suffix}"
        owner.execute(f"create table app.{name} partition of app.events for values from ('{lower}') to ('{upper}')")
    owner.execute("create table app.events_default partition of app.events default")
    owner.execute("insert into app.events values (1, now() - interval '1 year')")
    before = set(partitions(owner, "app.events"))
    config = written(
        tmp_path,
        database,
        """
    partition_sets:
      - {table: app.events, control: created_at, interval: 1 day, premake: 7, infinite: true, ignore_default_data: true}
""",
    )
    applied(config)
    after = set(partitions(owner, "app.events"))
    assert before < after
    assert owner.execute("select count(*) from app.events").fetchone() == (1,)
    owner.execute("update partman.part_config set premake = 9")
    owner.execute("select partman.run_maintenance('app.events')")
    assert after < set(partitions(owner, "app.events"))
