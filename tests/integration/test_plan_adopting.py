"""partwarden plan and apply: tables that are partitioned already, however they came to be."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg.conninfo import make_conninfo

from partwarden.config import read_config
from partwarden.database import Connection
from partwarden.planning import apply, plan
from tests.as_code import Nobody, applied, make_table, written
from tests.commands import partwarden
from tests.servers import Database


@pytest.fixture
def owner(database: Database) -> Iterator[Connection]:
    with database.connect_owner() as connection:
        yield connection


LONG = "ü" * 30
"""A name to which no suffix can be added: pg_partman 5 cuts the name, 4 the suffix."""

UUIDS = (
    "- {table: app.uuids, control: id, interval: 1 month, premake: 1, time_encoder: partman.uuid7_time_encoder, "
    "time_decoder: partman.uuid7_time_decoder}"
)


def as_script(folder: Path, database: Database) -> None:
    """Run what ``plan --sql`` writes."""
    script = partwarden("plan", "-c", str(folder / "partwarden.yaml"), "--sql").stdout
    with database.connect_owner() as connection:
        connection.execute(script.encode())


def test_sets_are_adopted_with_their_own_default_partition_whatever_it_is_called_and_wherever_it_lies(
    tmp_path: Path, database: Database, owner: Connection
) -> None:
    is_4 = database.server.major == 15
    for name in (f'"{LONG}"', "elsewhere", "unwanted"):
        make_table(owner, name)
    owner.execute(
        f'create schema other; create table app.odd partition of app."{LONG}" default; '
        "create table other.elsewhere_default partition of app.elsewhere default; "
        "create table app.unwanted_odd partition of app.unwanted default"
    )
    usual = "control: created_at, interval: 1 month, premake: 1, infinite: true, template: app.shared"
    sets = [f"- {{table: app.{LONG}, {usual}}}", f"- {{table: app.elsewhere, {usual}}}"]
    if not is_4:
        owner.execute(
            "create table app.kinds (kind integer not null) partition by list (kind); "
            "create table app.kinds_one partition of app.kinds for values in (1); "
            "create table app.uuids (id uuid not null) partition by range (id)"
        )
        sets += [
            f"- {{table: app.unwanted, {usual}, default: false}}",
            "- {table: app.kinds, control: kind, interval: 1, type: list}",
            UUIDS,
        ]
    text = "    partition_sets:\n" + "".join(f"      {each}\n" for each in sets)
    written(tmp_path, database, text)
    as_script(tmp_path, database)
    config = read_config(tmp_path / "partwarden.yaml")
    assert applied(config) == []
    defaults = owner.execute(
        "select partrelid::regclass::text, partdefid::regclass::text from pg_partitioned_table "
        "where partrelid in ('app.elsewhere'::regclass, 'app.unwanted'::regclass, %s::regclass) order by 2",
        (f'app."{LONG}"',),
    ).fetchall()
    unwanted = "-" if not is_4 else "app.unwanted_odd"
    assert {name for _, name in defaults} == {"app.odd", "other.elsewhere_default", unwanted}
    if is_4:
        return
    owner.execute("delete from partman.part_config where parent_table = 'app.uuids'")  # made once, adopted now
    owner.execute("create table app.elsewhere_default (note text)")  # it is nobody's partition
    written(tmp_path, database, text.replace(f"elsewhere, {usual}", f"elsewhere, {usual}, default: false"))
    assert len(applied(read_config(tmp_path / "partwarden.yaml"), allow_destroy=True)) == 2
    assert owner.execute(
        "select to_regclass('other.elsewhere_default'), to_regclass('app.elsewhere_default')"
    ).fetchone() == (
        None,
        "app.elsewhere_default",
    )


def test_what_keeps_a_set_from_being_adopted_is_said_by_the_plan(
    tmp_path: Path, database: Database, owner: Connection
) -> None:
    major = database.server.major
    (sixty_days_ago,) = owner.execute("select (current_date - 60)::text").fetchone() or ("",)
    make_table(owner, "deep")
    make_table(owner, "taken")
    make_table(owner, "two", by="created_at, id")
    owner.execute(
        "create table app.taken_default (note text); "
        "create table app.moved (id bigint not null) partition by range (id); "
        "create table app.moved_p1 partition of app.moved for values from (1) to (10001); "
        "create table app.bottomless (id bigint not null) partition by range (id); "
        "create table app.bottomless_p0 partition of app.bottomless for values from (minvalue) to (10000); "
        "create table app.kinds (id integer not null) partition by list (id); "
        "create table app.kinds_some partition of app.kinds for values in (1, 2)"
    )
    config = written(
        tmp_path,
        database,
        f"""
    partition_sets:
      - {{table: app.deep, control: created_at, interval: 1 day, start: {sixty_days_ago},
         sub: {{control: created_at, interval: 1 hour}}}}
      - {{table: app.taken, control: created_at, interval: 1 day}}
      - {{table: app.two, control: created_at, interval: 1 day}}
      - {{tables: [app.moved, app.bottomless], control: id, interval: 10000}}
      - {{table: app.kinds, control: id, interval: 1, type: list}}
""",
    )
    (planned,) = plan(config).databases
    deep = next(step for step in planned.steps if step.object == "app.deep")
    assert any(each.danger == "slow" and "makes some 1,6" in each.text for each in deep.warnings)
    problems = {each.object: (each.problem, each.remedy) for each in planned.obstacles}
    assert problems["app.taken"] == (
        "its default partition would be called app.taken_default, and something else is called so",
        'alter table "app"."taken_default" rename to …;',
    )
    assert problems["app.two"][1].startswith("leave it out: pg_partman takes tables")
    assert problems["app.moved"][0].endswith("ends at 10001, which is 1 beyond a multiple of 10000")
    assert problems["app.moved"][1].startswith("write `offset: 1`" if major == 18 else "bring pg_partman to 5.3")
    assert ("app.bottomless" in problems) is (major > 15)
    if major > 15:
        assert "has no beginning" in problems["app.bottomless"][0]
        assert "not for one number" in problems["app.kinds"][0]


def test_dates_are_told_as_every_session_reads_them_and_others_than_the_owner_are_told_so(
    tmp_path: Path, database: Database, owner: Connection
) -> None:
    make_table(owner, "events")
    name = "events_p2027_01" if database.server.major == 15 else "events_p20270101"
    owner.execute(f"create table app.{name} partition of app.events for values from ('2027-01-01') to ('2027-02-01')")
    text = "    partition_sets: [{table: app.events, control: created_at, interval: 1 month}]\n"
    dsn = make_conninfo(database.owner_dsn, options="-c datestyle=SQL,DMY -c intervalstyle=iso_8601")
    written(tmp_path, database, text)
    file = tmp_path / "partwarden.yaml"
    whole = file.read_text()
    file.write_text(whole.replace(database.owner_dsn, dsn))
    config = read_config(file)
    (step,) = plan(config).steps
    assert "p_start_partition => '2027-02-01 00:00:00+00'" in " ".join(step.statements)
    applied(config)
    assert owner.execute("select partition_interval from partman.part_config").fetchone() == ("1 mon",)

    owner.execute("delete from partman.part_config")
    file.write_text(whole.replace(database.owner_dsn, make_conninfo(database.dsn, options="-c role=pg_read_all_data")))
    (obstacle,) = plan(read_config(file)).databases[0].obstacles
    assert obstacle.problem.startswith("role pg_read_all_data is not its owner")


def test_a_plan_waits_for_nobody_and_what_comes_to_light_late_leaves_the_first_steps_done(
    tmp_path: Path, database: Database, owner: Connection
) -> None:
    make_table(owner, "events")
    sets = "    partition_sets: [{table: app.events, control: created_at, interval: 1 day}]\n"
    config = written(tmp_path, database, sets)
    with database.connect() as superuser:
        with superuser.transaction():
            superuser.execute("lock table partman.part_config in access exclusive mode")
            (planned,) = plan(config).databases
            assert planned.error is not None
            assert "lock timeout" in planned.error
        superuser.execute("drop extension pg_partman cascade")
    file = tmp_path / "partwarden.yaml"
    late = "    extensions: {pg_partman: partman}\n" + sets.replace("app.events", "app.nothing")
    file.write_text(f"databases:\n  - name: app\n    dsn: {database.dsn}\n" + late)
    config = read_config(file)
    (result,) = apply(config, plan(config), Nobody())
    assert result.error is not None
    assert result.error.problem == "nothing more was changed in app: app.nothing: there is no table app.nothing"
    assert [step.object for step in result.done] == ["pg_partman"]
    assert result.not_done == ()
