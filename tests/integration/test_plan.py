"""partwarden plan and apply: one file against a real database."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from partwarden.config import read_config
from partwarden.database import Connection
from partwarden.errors import ApplyFailed
from partwarden.incidents import State, list_incidents
from partwarden.install import install
from partwarden.planning import Plan, Step, Wait, apply, plan
from tests.as_code import Nobody, applied, make_table, written
from tests.commands import partwarden
from tests.partition_sets import daily_set, partitions, put_row_in_the_way
from tests.servers import Database


@pytest.fixture
def owner(database: Database) -> Iterator[Connection]:
    with database.connect_owner() as connection:
        yield connection


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
    assert (step.kind, step.action, step.object) == ("set", "add", "app.events")
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
    (result,) = apply(config, plan(config), Nobody())
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
    if database.server.major > 15:  # before, each has one
        last = text.replace("PREMAKE", "5, default: false").replace("KEEP", "50000")
        (step,) = applied(written(tmp_path, database, last))
        assert [(change.key, change.after) for change in step.changes] == [("sub.default", "no")]


def test_partitions_are_partitioned_themselves_only_while_they_are_empty(
    tmp_path: Path, database: Database, owner: Connection
) -> None:
    make_table(owner, "events")
    text = "    partition_sets:\n      - {table: app.events, control: created_at, interval: 1 month, premake: 1SUB}\n"
    applied(written(tmp_path, database, text.replace("SUB", "")))
    config = written(tmp_path, database, text.replace("SUB", ", sub: {control: id, interval: 1000, premake: 1}"))
    owner.execute("insert into app.events values (1, now())")
    (obstacle,) = plan(config).databases[0].obstacles
    assert "has rows" in obstacle.problem
    owner.execute("delete from app.events")
    made = plan(config)
    assert [step.destroys for step in made.steps] == [True]
    with database.connect_owner() as other, other.transaction():
        other.execute("insert into app.events values (2, now())")
    (result,) = apply(config, made, Nobody(), allow_destroy=True)
    assert result.error is not None  # the plan no longer holds
    owner.execute("delete from app.events")
    applied(config, allow_destroy=True)
    assert owner.execute("select count(*) > 3 from partman.part_config").fetchone() == (True,)


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


EVERYTHING = """
    cluster: prod-eu
    schemas: [archive]
    extensions: {pg_partman: partman}
    maintenance: {schedule: "17 * * * *", repair: off, lock_wait: 50 milliseconds}
    monitor: {schedule: "* * * * *", channel: none, remind_after: 12 hours}
    thresholds: {headroom: 3, stuck_after: 30 minutes}
    silences:
      - {check: default-*, object: app.*, until: 2099-12-31, note: we know}
    partition_sets:
      - {tables: "app.*", control: created_at, interval: 1 day, premake: 7, infinite: true, repair: always,
         template: app.shared, retention: {keep: 30 days, then: move to archive}}
"""


def test_one_file_sets_up_everything_and_drift_is_found(tmp_path: Path, database: Database, owner: Connection) -> None:
    for name in ("events", "orders"):
        make_table(owner, name)
    config = written(tmp_path, database, EVERYTHING)
    assert [(step.kind.value, step.object) for step in applied(config)] == [
        ("schema", "archive"),
        ("installation", "partwarden"),
        ("settings", "settings"),
        ("set", "app.events"),
        ("set", "app.orders"),
        ("silences", "silences"),
        ("job", f"partwarden maintain {database.name}"),
        ("job", f"partwarden monitor {database.name}"),
    ]
    row = owner.execute("select cluster, repair, lock_wait::text, remind_after::text, headroom from partwarden.setting")
    assert row.fetchone() == ("prod-eu", "off", "00:00:00.05", "12:00:00", 3)
    assert owner.execute("select * from partwarden.set_policy order by 1").fetchall() == [
        ("app.events", "always"),
        ("app.orders", "always"),
    ]
    with psycopg.connect(database.server.cluster.dsn()) as cron:
        jobs = cron.execute(
            "select schedule, command from cron.job where database = %s order by 2", (database.name,)
        ).fetchall()
    assert jobs == [("17 * * * *", "call partwarden.maintain()"), ("* * * * *", "call partwarden.monitor()")]

    owner.execute("update partman.part_config set premake = 5 where parent_table = 'app.events'")
    drift = owner.execute("select object, summary from partwarden.run_checks(array['config-drift'])").fetchall()
    assert drift == [("app.events", "the configuration of app.events is not as the file has it: premake is 5, not 7")]
    (step,) = applied(config)
    assert [(change.key, change.before, change.after) for change in step.changes] == [("premake", "5", "7")]

    with psycopg.connect(database.server.cluster.dsn(), autocommit=True) as cron:
        cron.execute(
            "update cron.job set database = 'postgres' where jobname = %s", (f"partwarden monitor {database.name}",)
        )
    (step,) = applied(config)
    assert [(change.key, change.after) for change in step.changes] == [("database", database.name)]

    fewer = EVERYTHING.replace("maintenance: {schedule", "maintenance: false #")
    (step,) = applied(written(tmp_path, database, fewer))
    assert (step.kind, step.action) == ("job", "remove")

    applied(written(tmp_path, database, fewer[: fewer.index("    partition_sets:")]))
    owner.execute("delete from partman.part_config where parent_table = 'app.events'")
    assert owner.execute("select object from partwarden.run_checks(array['config-drift'])").fetchall() == []

    owner.execute(
        "drop table partwarden.wanted_set, partwarden.silence; delete from partwarden.migration where number = 6; "
        "alter table partwarden.setting rename headroom to of_a_release_to_come"
    )
    elsewhere = written(tmp_path, database, EVERYTHING.replace("cluster:", "cron_database: nowhere\n    cluster:"))
    (planned,) = plan(elsewhere).databases
    assert [step.object for step in planned.steps] == ["partwarden", "settings", "app.events", "silences"]
    assert [(each.object, "nowhere" in each.problem) for each in planned.obstacles] == [("jobs", True)]
    owner.execute("update partwarden.installation set version = '99.0'")
    (planned,) = plan(elsewhere).databases
    assert [each.object for each in planned.obstacles] == ["partwarden", "jobs"]


def test_a_silence_of_the_file_keeps_an_incident_quiet_and_its_end_tells_of_it(
    database: Database, owner: Connection
) -> None:
    daily_set(owner, "public.events")
    install(owner)
    owner.execute("insert into partwarden.silence values ('default-*', 'public.*', now() + interval '1 hour', 'known')")
    put_row_in_the_way(owner, "public.events")
    owner.execute("call partwarden.monitor()")
    told = "select check_id, told from partwarden.incident where check_id like 'default-%' order by 1"
    assert owner.execute(told).fetchall() == [("default-blocks-maintenance", None), ("default-not-empty", None)]
    assert owner.execute("select subject from partwarden.notification where subject like '%default-%'").fetchall() == []
    assert {each.state for each in list_incidents(owner) if each.check_id.startswith("default-")} == {State.SILENCED}
    owner.execute("delete from partwarden.silence")
    owner.execute("call partwarden.monitor()")
    assert owner.execute(told).fetchall() == [
        ("default-blocks-maintenance", "critical"),
        ("default-not-empty", "warning"),
    ]


def test_what_cannot_be_is_said_before_anything_is_changed(
    tmp_path: Path, database: Database, owner: Connection
) -> None:
    daily_set(owner, "public.events")
    config = written(
        tmp_path,
        database,
        """
    partition_sets:
      - {table: public.events, control: created_at, interval: 1 week, premake: 9}
      - {table: public.evnets, control: created_at, interval: 1 day}
      - {tables: "none_*.x", control: id, interval: 10}
""",
    )
    (planned,) = plan(config).databases
    assert [(each.object, each.problem) for each in planned.obstacles] == [
        (
            "public.events",
            "interval is 1 day, which its partitions stand for, and can't become 1 week",
        ),
        ("public.evnets", "there is no table public.evnets"),
    ]
    assert "did you mean public.events?" in planned.obstacles[1].remedy
    assert planned.obstacles[0].place is not None
    assert planned.obstacles[0].place.startswith(f"{tmp_path}/partwarden.yaml:6:53")
    assert any("no table matches none_*.x" in note for note in planned.notes)
    (result,) = apply(config, Plan((planned,)), Nobody())
    assert result.error is not None
    assert result.done == ()
    assert owner.execute("select premake from partman.part_config").fetchone() == (5,)


def test_a_changed_database_makes_an_old_plan_void(tmp_path: Path, database: Database, owner: Connection) -> None:
    daily_set(owner, "public.events")
    config = written(
        tmp_path,
        database,
        "    partition_sets: [{table: public.events, control: created_at, interval: 1 day, premake: 9}]\n",
    )
    made = plan(config)
    owner.execute("update partman.part_config set premake = 8")
    (result,) = apply(config, made, Nobody())
    assert result.error is not None
    assert "no longer as it was" in result.error.problem
    assert owner.execute("select premake from partman.part_config").fetchone() == (8,)


def test_two_at_once_do_not_meet_and_a_database_that_is_down_costs_the_others_nothing(
    tmp_path: Path, database: Database, owner: Connection
) -> None:
    daily_set(owner, "public.events")
    sets = "    partition_sets: [{table: public.events, control: created_at, interval: 1 day, premake: 9}]\n"
    file = tmp_path / "partwarden.yaml"
    file.write_text(
        f"databases:\n  - name: down\n    dsn: host=127.0.0.1 port=1 user=x connect_timeout=2\n{sets}"
        f"  - name: app\n    dsn: {database.owner_dsn}\n{sets}"
    )
    config = read_config(file)
    made = plan(config)
    assert made.databases[0].error is not None
    owner.execute("select pg_advisory_lock(hashtext('partwarden apply'))")
    _, second = apply(config, made, Nobody())
    assert second.error is not None
    assert "another apply" in second.error.problem
    owner.execute("select pg_advisory_unlock_all()")
    first, second = apply(config, made, Nobody())
    assert first.error is not None
    assert second.error is None
    assert owner.execute("select premake from partman.part_config").fetchone() == (9,)


def test_the_command_shows_the_plan_asks_and_leaves_with_what_became_of_it(
    tmp_path: Path, database: Database, owner: Connection
) -> None:
    daily_set(owner, "public.events")
    file = tmp_path / "partwarden.yaml"
    text = (
        f"databases:\n  - name: app\n    dsn: {database.owner_dsn}\n    partition_sets:\n"
        "      - {table: public.events, control: created_at, interval: 1 day, premake: 9,\n"
        "         retention: {keep: 1 year, then: drop}}\n"
    )
    file.write_text(text + text.removeprefix("databases:\n").replace("name: app", "name: too"))
    assert "a script is for one database" in partwarden("plan", "-c", str(file), "--sql").stderr
    file.write_text(text)
    answer = partwarden("plan", "-c", str(file))
    assert answer.returncode == 2
    assert "premake" in answer.stdout
    assert "destructive: partitions of public.events older than 1 year are dropped" in answer.stdout
    assert partwarden("apply", "-c", str(file)).returncode == 3  # nobody is there to be asked
    refused = partwarden("apply", "-c", str(file), "--yes")
    assert refused.returncode == 3
    assert "--allow-destroy" in refused.stdout
    assert "older than 1 year are dropped by the next maintenance" in refused.stdout  # nothing is folded in a pipe
    assert partwarden("apply", "-c", str(file), "--yes", "--allow-destroy").returncode == 0
    assert partwarden("plan", "-c", str(file)).returncode == 0
    document = json.loads(partwarden("plan", "-c", str(file), "--json").stdout)
    assert document["changes"] == 0
    script = partwarden("plan", "-c", str(file), "--sql").stdout
    assert script == ""


def test_all_that_pg_partman_can_be_told_is_told_and_found_again(
    tmp_path: Path, database: Database, owner: Connection
) -> None:
    major = database.server.major
    for name in ("times", "other"):
        make_table(owner, name)
    owner.execute(
        "create table app.seconds (at bigint not null, note text) partition by range (at); "
        "create table app.kinds (kind integer not null, note text) partition by list (kind); "
        'create table app."a ""b"" %" (id bigint not null) partition by range (id); '
        "create index on app.times (note)"
    )
    only_4 = ", inherit_fk: false, retention: {keep: 1 year, then: detach, keep_index: false, cascade: true}"
    only_5 = (
        ", datetime_string: YYYYMMDD, maintenance_order: 3, default: false, "
        "retention: {keep: 1 year, then: drop, keep_publication: true}"
    )
    template = ", template: false" if major == 18 else ""  # 5.2.4 takes it, and can't do without one
    kinds = f"- {{table: app.kinds, control: kind, interval: 1, type: list{template}}}" if major > 15 else ""
    newest = ", maintenance_role: app_owner" if major == 18 else ""
    config = written(
        tmp_path,
        database,
        f"""
    partition_sets:
      - {{table: app.times, control: created_at, interval: 2 weeks, premake: 3, infinite: true, automatic: off,
         template: app.own_template, constraint_columns: [note], optimize_constraint: 5, constraint_valid: false,
         inherit_privileges: true, ignore_default_data: false, jobmon: false,
         date_trunc_interval: week{only_4 if major == 15 else only_5}{newest}}}
      - {{table: app.other, control: created_at, interval: 1 month, retention: false, start: 2026-01-01}}
      - {{table: app.seconds, control: at, interval: 1 day, epoch: seconds}}
      - {{table: 'app."a ""b"" %"', control: id, interval: 1000, premake: 2}}
      {kinds}
""",
    )
    assert len(applied(config)) == (4 if major == 15 else 5)
    assert ("other_default" in partitions(owner, "app.other")) is True
    assert ("times_default" in partitions(owner, "app.times")) is (major == 15)
    text = (tmp_path / "partwarden.yaml").read_text()
    changed = text.replace("default: false", "default: true").replace("jobmon: false", "jobmon: true")
    changed = changed.replace("retention: false", "retention: {keep: 5 years}")
    (tmp_path / "partwarden.yaml").write_text(changed)
    assert len(applied(read_config(tmp_path / "partwarden.yaml"), allow_destroy=True)) == 2
    assert "times_default" in partitions(owner, "app.times")


class Interrupted(Nobody):
    """Ctrl-C, when the first set is done."""

    def ends(self, database: str, step: Step) -> None:
        raise KeyboardInterrupt(f"{database}: {step.object}")


class Ended(Nobody):
    """Somebody ends the connection while a step is being done."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begins(self, database: str, step: Step) -> None:
        assert (database, step.object) == ("app", "app.orders")
        with self._database.connect() as superuser:
            superuser.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity "
                "where datname = current_database() and application_name = 'partwarden'"
            )


def test_what_is_interrupted_goes_on_and_a_lock_that_is_not_had_names_its_holder(
    tmp_path: Path, database: Database, owner: Connection
) -> None:
    for name in ("events", "orders"):
        make_table(owner, name)
    text = "    partition_sets: [{tables: app.*, control: created_at, interval: 1 day, infinite: true}]\n"
    config = written(tmp_path, database, text)
    with pytest.raises(KeyboardInterrupt):
        apply(config, plan(config), Interrupted())
    assert [step.object for step in plan(config).steps] == ["app.orders"]
    (result,) = apply(config, plan(config), Ended(database))
    assert isinstance(result.error, ApplyFailed)
    assert "terminating connection" in result.error.problem
    assert result.failed is not None
    with database.connect_owner() as holder, holder.transaction():
        holder.execute("select from app.orders")
        (result,) = apply(config, plan(config), Nobody(), wait=Wait(window=0.3))
        assert result.error is not None
        assert f"process {holder.info.backend_pid}" in result.error.problem
    assert [step.object for step in applied(config)] == ["app.orders"]


def test_a_plain_table_becomes_a_set_where_the_file_says_convert(
    tmp_path: Path, database: Database, owner: Connection
) -> None:
    owner.execute(
        "create schema app; create table app.orders (id bigint, created_at timestamptz not null, "
        "primary key (id, created_at)); "
        "insert into app.orders select i, now() - i * interval '1 day' from generate_series(1, 50) i"
    )
    text = (
        "    partition_sets:\n      - {table: app.orders, control: created_at, interval: 1 day, premake: 5, infinite: true,\n"
        "         retention: {keep: 1 year, then: detach}CONVERT}\n"
    )
    (obstacle,) = plan(written(tmp_path, database, text.replace("CONVERT", ""))).databases[0].obstacles
    assert (obstacle.problem, obstacle.remedy[:15]) == ("it is a plain table, not a partitioned one", "write `convert:")
    config = written(tmp_path, database, text.replace("CONVERT", ", convert: true"))
    (step,) = applied(config)
    assert step.kind == "conversion"
    assert owner.execute("select count(*) from app.orders").fetchone() == (50,)
    assert len(partitions(owner, "app.orders")) > 5
    row = owner.execute("select premake, infinite_time_partitions, retention from partman.part_config").fetchone()
    assert row == (5, True, "1 year")
