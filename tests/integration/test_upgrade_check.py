"""Moving from pg_partman 4 to 5: what is told beforehand is what happens, and the statements mend it, on a real server."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from partwarden.bundle import upgrade_questions
from partwarden.errors import UpgradeNotChecked
from partwarden.install import install
from partwarden.local.installation import Installation
from partwarden.local.owner import grant_to_owner
from partwarden.upgrading import Concern, Severity, Upgrade, look
from partwarden.upgrading.releases import DROPPED, Kind
from partwarden.upgrading.signatures import CHANGED
from partwarden.upgrading.versions import Version
from tests.commands import partwarden
from tests.partition_sets import create_parent
from tests.servers import OWNER, Database, Server, find_server

on_the_newest = pytest.mark.parametrize("server", [18], indirect=True, ids=["pg18"])
"""It has the scripts from 4.7.2 on, and takes extensions from other folders than its own."""

on_the_oldest = pytest.mark.parametrize("server", [15], indirect=True, ids=["pg15"])
"""It has pg_partman 4.7.2, and no newer one."""

SETS = """
create schema app authorization app_owner;
create schema archive;
set role app_owner;
create table app.daily (id bigint not null, created_at timestamptz not null) partition by range (created_at);
create table app.weekly (like app.daily) partition by range (created_at);
create table app."Weird ""Week"", ünï of a name that is as long as it may be" (like app.daily)
    partition by range (created_at);
create table app.quarterly (like app.daily) partition by range (created_at);
create table app.fiscal (like app.daily) partition by range (created_at);
create table app.archived (like app.daily) partition by range (created_at);
create table app.published (like app.daily) partition by range (created_at);
create table app.by_week (id bigint not null, created_at timestamptz not null) partition by range (created_at);
create table app.by_day (id bigint not null, created_at timestamptz not null, at timestamptz)
    partition by range (created_at);
create table app.by_id (id bigint not null) partition by range (id);

select partman.create_parent('app.daily', 'created_at', 'native', 'daily', p_premake => 2);
select partman.create_parent('app.weekly', 'created_at', 'native', 'weekly', p_premake => 2);
select partman.create_parent('app.Weird "Week", ünï of a name that is as long as it may be', 'created_at', 'native',
    'weekly', p_premake => 2);
select partman.create_parent('app.quarterly', 'created_at', 'native', 'quarterly', p_premake => 2);
select partman.create_parent('app.fiscal', 'created_at', 'native', '1 year', p_premake => 2,
    p_start_partition => (date_trunc('year', now()) - interval '21 months')::text, p_date_trunc_interval => 'month');
select partman.create_parent('app.archived', 'created_at', 'native', 'daily', p_premake => 2,
    p_start_partition => (now() - interval '9 days')::text);
select partman.create_parent('app.published', 'created_at', 'native', 'daily', p_premake => 2,
    p_start_partition => (now() - interval '9 days')::text);
select partman.create_parent('app.by_week', 'created_at', 'native', 'weekly', p_premake => 1);
select partman.create_sub_parent('app.by_week', 'id', 'native', '100', 'yes', p_premake => 1);
select partman.create_parent('app.by_day', 'created_at', 'native', 'daily', p_premake => 1);
select partman.create_sub_parent('app.by_day', 'at', 'native', 'hourly', 'yes', p_premake => 1);
select partman.create_parent('app.by_id', 'id', 'native', '100', p_premake => 2);
insert into app.by_id values (1);

update partman.part_config set infinite_time_partitions = true;
update partman.part_config set retention = '5 years' where parent_table = 'app.fiscal';
update partman.part_config set retention = '3 days', retention_schema = 'archive' where parent_table = 'app.archived';
update partman.part_config set retention = '3 days', publications = array['published'] where parent_table = 'app.published';
reset role;
"""

BROKEN_BY_5 = {
    ("names-by-week-or-quarter", "app.weekly"),
    ("names-by-week-or-quarter", 'app.Weird "Week", ünï of a name that is as long as it may be'),
    ("names-by-week-or-quarter", "app.quarterly"),
    ("names-by-week-or-quarter", "app.by_week"),
    ("special-interval", "app.by_day"),
    ("sub-control-nullable", "app.by_day"),
    ("retention-bounds", "app.fiscal"),
    ("retention-schema", "app.archived"),
    ("published-partitions", "app.published"),
}

AROUND_THEM = """
create view app.sets as select parent_table, premake, upsert from partman.part_config;
create view app.planned as select parent_table from partman.part_config;
create view app.planned_too as select * from app.planned;
grant select on app.planned to app_owner;
create view app.left_over as select * from partman.check_default();
create table app.note (parent_table text references partman.part_config, note text);
create function app.name_of(partman.part_config) returns text language sql as 'select $1.parent_table';
create function app.ignore() returns trigger language plpgsql as 'begin return new; end';
create trigger watched after update on partman.part_config for each row execute function app.ignore();
create function app.another_set(p_table text) returns void language plpgsql as $$
begin
    perform partman.create_parent(p_table, 'created_at', 'native', 'monthly', p_premake => 1, p_upsert => '');
end
$$;
create function app.alert() returns bigint language sql
as $$select 1::bigint -- from cron.job_run_details where status = 'failed'
$$;
create role "some ""body"" else";
grant execute on function partman.partition_data_time to "some ""body"" else";
set role app_owner;
create table app."By ""triggers"" set" (id bigint primary key, created_at timestamptz not null, note text);
create index on app."By ""triggers"" set" ((id % 7));
create unique index on app."By ""triggers"" set" (note, created_at);
grant select on app."By ""triggers"" set" to pg_monitor;
select partman.create_parent('app.By "triggers" set', 'created_at', 'partman', 'daily', p_premake => 2);
insert into app."By ""triggers"" set" select day, now() + day * interval '1 day' from generate_series(-1, 1) day;
insert into app."By ""triggers"" set" values (9, now() - interval '99 days');
update partman.part_config set infinite_time_partitions = true where parent_table = 'app.By "triggers" set';
reset role;
"""


@pytest.fixture
def with_4(server: Server) -> Iterator[Database]:
    """A database with pg_partman 4.7.2, on a server that has the scripts of all that came after it."""
    folder = _folder_with_4(server)
    database = server.new_database()
    with database.connect() as superuser:
        superuser.execute("drop extension pg_partman cascade")
        superuser.execute(
            sql.SQL("alter database {} set extension_control_path = {}").format(
                sql.Identifier(database.name), f"{folder}:$system"
            )
        )
    with database.connect() as superuser:
        superuser.execute("create extension pg_partman schema partman version '4.7.2'")
        grant_to_owner(superuser, OWNER)
    yield database
    server.drop_database(database)


def _folder_with_4(server: Server) -> Path:
    installation = server.cluster.installation
    place = server.cluster.folder / "with_4" / "extension"
    first = _scripts(find_server(15)) / "pg_partman--4.7.2.sql"
    if not first.exists():
        pytest.skip("no script here that makes pg_partman 4.7.2")
    if not place.exists():
        place.mkdir(parents=True)
        for script in (first, *_scripts(installation).glob("pg_partman*")):
            shutil.copy(script, place)
        if owner := installation.owner():
            for path in (place.parent, place, *place.iterdir()):
                os.chown(path, *owner)
    return installation.inside(place.parent)


def _scripts(installation: Installation | None) -> Path:
    if installation is None:
        return Path("/nowhere")
    return (installation.root or Path("/")) / f"usr/share/postgresql/{installation.major}/extension"


def _follow(server: Server, upgrade: Upgrade) -> None:
    """Do what the steps say, each statement in a transaction of its own."""
    for step in upgrade.steps:
        user = OWNER if step.by == "the tables' owner" else "postgres"
        with psycopg.connect(server.cluster.dsn(step.database, user), autocommit=True) as connection:
            for statement in step.statements:
                connection.execute(statement.encode())


def _want_one_more_partition(database: Database) -> None:
    with database.connect() as superuser:
        superuser.execute("update partman.part_config set premake = premake + 1")


def _not_maintained(database: Database) -> set[str]:
    """Sets that the newest maintenance did not get through, but for partitions that are sets themselves."""
    with database.connect_owner() as owner:
        rows = owner.execute(
            "select parent_table from partman.part_config "
            "where maintenance_last_run is null and parent_table !~ '_p[0-9]'"
        ).fetchall()
    return {parent for (parent,) in rows}


def _of(upgrade: Upgrade, id_: str) -> list[Concern]:
    return [concern for concern in upgrade.concerns if concern.id == id_]


@on_the_newest
def test_after_the_statements_every_set_is_maintained_by_5(server: Server, with_4: Database) -> None:
    with with_4.connect() as superuser:
        superuser.execute(SETS)
        superuser.execute("create publication published for table app.daily")
        _publish_oldest(superuser)
        superuser.execute(AROUND_THEM)
    with with_4.connect_owner() as owner:
        install(owner)
    with psycopg.connect(server.cluster.dsn(), autocommit=True) as cron:
        scheduled = cron.execute(
            "select cron.schedule_in_database('job ' || number, '0 0 1 1 *', command, %s) "
            "from unnest(%s::text[]) with ordinality command (command, number)",
            (
                with_4.name,
                [
                    "select partman.run_maintenance_proc()",
                    "call partman.partition_data_proc('app.daily', '1 day', 3)",
                    "call partman.run_maintenance_proc()",
                ],
            ),
        )
        assert scheduled.rowcount == 3

    upgrade = look(with_4.dsn)

    assert (upgrade.installed, upgrade.offered, upgrade.target) == ("4.7.2", "5.5.0", "5.5.0")
    assert upgrade.unseen == ()
    critical = {(concern.id, concern.object) for concern in upgrade.concerns if concern.severity is Severity.CRITICAL}
    assert critical >= BROKEN_BY_5
    assert {name for id_, name in critical if id_ == "dependent-object"} == {
        "app.sets",
        "app.planned",
        "app.planned_too",
        "app.left_over",
        "app.name_of(partman.part_config)",
        "note_parent_table_fkey on app.note",
    }
    assert {concern.object for concern in _of(upgrade, "table-grants")} == {
        "partman.part_config",
        "partman.part_config_sub",
    }
    assert {concern.id for concern in upgrade.concerns if concern.severity is Severity.WARNING} == {
        "blind-monitor",
        "columns-gone",
        "lost-with-tables",
        "publication",
        "routine-grants",
    }
    assert critical >= {("trigger-based", 'app.By "triggers" set'), ("role-name", 'role "some ""body"" else"')}
    _follow(server, upgrade)

    _want_one_more_partition(with_4)
    with with_4.connect_owner() as owner:
        owner.execute("call partman.run_maintenance_proc()")
        assert _not_maintained(with_4) == set()
        converted = owner.execute(
            """select count(*), count(*) filter (where tableoid = 'app."By ""triggers"" set_default"'::regclass),
                      has_table_privilege('pg_monitor', 'app."By ""triggers"" set"', 'select')
               from app."By ""triggers"" set" """
        ).fetchone()
        assert converted == (4, 1, True)
        owner.execute("create table app.monthly (created_at timestamptz not null) partition by range (created_at)")
        assert owner.execute("select count(*) > 10 from app.planned").fetchone() == (True,)
        owner.execute("select app.another_set('app.monthly')")
    with with_4.connect() as superuser:
        made = superuser.execute(
            "select (select count(*) from app.planned_too), (select count(*) from app.left_over), "
            "(select count(*) from pg_trigger where tgname = 'watched'), to_regclass('app.sets'), "
            "(select max(relname) from pg_class where relname ~ '^Weird.*_p2')"
        ).fetchone()
    with with_4.connect_owner() as owner:
        owner.execute("call partwarden.maintain()")
    assert made is not None
    assert made[0] > 10
    assert made[1:4] == (1, 1, None)
    assert re.fullmatch(r'Weird "Week", ünï of a name that is as long as it m_p\d{8}', made[4])
    with psycopg.connect(server.cluster.dsn()) as cron:
        jobs = cron.execute(
            "select command, active from cron.job where database = %s order by jobid", (with_4.name,)
        ).fetchall()
    assert jobs == [
        ("call partman.run_maintenance_proc()", True),
        (
            "call partman.partition_data_proc(p_parent_table => 'app.daily', p_interval => '1 day', p_loop_count => 3)",
            True,
        ),
        ("call partman.run_maintenance_proc()", True),
    ]
    again = look(with_4.dsn)
    assert (again.installed, again.concerns, again.steps) == ("5.5.0", (), ())


@on_the_newest
def test_without_them_5_maintains_all_sets_but_those_that_were_named(server: Server, with_4: Database) -> None:
    with with_4.connect() as superuser:
        superuser.execute(SETS)
        superuser.execute("create publication published")
        _publish_oldest(superuser)
        upgrade = look(with_4.dsn)
        for version in ("5.0.0", "5.0.1", "5.5.0"):
            superuser.execute(f"alter extension pg_partman update to '{version}'")
    with pytest.raises(psycopg.errors.InsufficientPrivilege), with_4.connect_owner() as owner:
        owner.execute("select from partman.part_config")
    with with_4.connect() as superuser:
        for concern in _of(upgrade, "table-grants"):
            superuser.execute(concern.after[0].encode())
    _want_one_more_partition(with_4)
    with with_4.connect_owner() as owner:
        owner.execute("call partman.run_maintenance_proc()")

    sets = {name for _, name in BROKEN_BY_5}
    assert _not_maintained(with_4) == sets
    assert {concern.object for concern in upgrade.concerns if concern.object in sets} == sets

    too_late = look(with_4.dsn)
    assert {(concern.id, concern.object) for concern in too_late.concerns} == BROKEN_BY_5
    _follow(server, too_late)
    assert _not_maintained(with_4) == set()


def _publish_oldest(superuser: psycopg.Connection[tuple[object, ...]]) -> None:
    row = superuser.execute(
        "select min(inhrelid::regclass::text) from pg_inherits where inhparent = 'app.published'::regclass "
        "and inhrelid::regclass::text not like '%%_default'"
    ).fetchone()
    assert row is not None
    superuser.execute(f"alter publication published add table {row[0]}")


@on_the_newest
def test_what_stops_the_update_is_told(with_4: Database) -> None:
    with with_4.connect() as superuser:
        superuser.execute("create table public.old (id int not null, created_at timestamptz not null)")
        for setup, named in (
            ("select partman.create_parent('public.old', 'created_at', 'partman', 'daily')", "public.old"),
            ("select partman.create_parent('public.old', 'created_at', 'partman', '2 days')", "public.old"),
            ("create table partman.part_config_pre_500_data (parent_table text)", "partman.part_config_pre_500_data"),
            ("create view public.sets as select * from partman.part_config", "public.sets"),
        ):
            superuser.execute(setup)
            told = {concern.object for concern in look(with_4.dsn).concerns if concern.severity is Severity.CRITICAL}
            assert named in told
            with pytest.raises(psycopg.Error):
                superuser.execute("alter extension pg_partman update to '5.0.0'")
            superuser.execute("delete from partman.part_config")
            superuser.execute("drop table if exists partman.part_config_pre_500_data; drop view if exists public.sets")
            superuser.execute("drop trigger if exists old_part_trig on public.old")
            for (child,) in superuser.execute(
                "select inhrelid::regclass::text from pg_inherits where inhparent = 'public.old'::regclass"
            ).fetchall():
                superuser.execute(f"drop table {child}")
        for version in ("5.0.0", "5.0.1"):
            superuser.execute(f"alter extension pg_partman update to '{version}'")
        superuser.execute('create role "quoted "" name"')
        superuser.execute('grant execute on function partman.partition_data_time to "quoted "" name"')
        (concern,) = _of(look(with_4.dsn), "role-name")
        with pytest.raises(psycopg.errors.SyntaxError):
            superuser.execute("alter extension pg_partman update to '5.3.0'")
        superuser.execute(concern.before[0].encode())
        superuser.execute("alter extension pg_partman update to '5.3.0'")


@on_the_newest
def test_routines_that_were_closed_are_closed_after_the_update(server: Server, with_4: Database) -> None:
    with with_4.connect() as superuser:
        superuser.execute("revoke execute on all routines in schema partman from public")
    _follow(server, look(with_4.dsn))
    with with_4.connect() as superuser:
        rows = superuser.execute(
            "select count(*), count(*) filter (where has_function_privilege('app_owner', oid, 'execute')), "
            "count(*) filter (where has_function_privilege('pg_monitor', oid, 'execute')) "
            "from pg_proc where pronamespace = 'partman'::regnamespace"
        ).fetchone()
    assert rows is not None
    assert (rows[0], rows[2]) == (rows[1], 0)


@on_the_oldest
def test_a_server_without_5_is_told_what_5_will_bring(database: Database) -> None:
    with database.connect_owner() as owner:
        owner.execute("create table public.old (created_at timestamptz not null) partition by range (created_at)")
        create_parent(owner, "public.old", "weekly")
        owner.execute(
            "create function public.make() returns void language plpgsql "
            "as $$begin perform partman.create_parent('a.b', 'c', 'native', 'daily'); end$$"
        )
    ran = partwarden("upgrade-check", "-d", database.owner_dsn)
    assert ran.returncode == 1
    assert "pg_partman 4.7.2 to 5.5.0" in ran.stdout
    assert "names-by-week-or-quarter  since 5.0.0" in ran.stdout
    assert "p_control => 'c', p_interval => '1 day')" in ran.stdout
    assert "2. Bring the files of pg_partman 5.5.0 to the server" in ran.stdout
    told = json.loads(partwarden("upgrade-check", "-d", database.owner_dsn, "--json", "--to", "4.7.4").stdout)
    (only,) = told["databases"]
    assert only["pg_partman"] == {"installed": "4.7.2", "offered": "4.7.2", "target": "4.7.4"}
    assert (only["clear"], only["concerns"]) == (True, [])
    script = partwarden("upgrade-check", "-d", database.owner_dsn, "--sql").stdout
    assert "update partman.part_config set datetime_string = 'YYYYMMDD' where parent_table = 'public.old';" in script
    assert partwarden("upgrade-check", "-d", database.owner_dsn, "--to", "x").returncode == 3


@on_the_oldest
def test_the_background_worker_needs_a_role_of_its_own(database: Database) -> None:
    with database.connect() as superuser:
        superuser.execute(f"alter database {database.name} set session_preload_libraries = 'pg_partman_bgw'")
    with database.connect() as superuser:
        superuser.execute("alter system set pg_partman_bgw.dbname = 'app'")
        superuser.execute("select pg_reload_conf()")
    try:
        (concern,) = _of(look(database.dsn), "background-worker")
        assert concern.severity is Severity.CRITICAL
        assert concern.before[0].startswith("alter system set pg_partman_bgw.role = ")
    finally:
        with database.connect() as superuser:
            superuser.execute("alter system reset pg_partman_bgw.dbname")
            superuser.execute("select pg_reload_conf()")


@pytest.mark.parametrize("server", [17], indirect=True, ids=["pg17"])
def test_from_one_5_to_the_next_only_what_comes_on_the_way_is_told(database: Database) -> None:
    with database.connect() as superuser:
        superuser.execute("create schema archive")
    with database.connect_owner() as owner:
        owner.execute(
            "create table public.old (created_at timestamptz not null) partition by range (created_at);"
            "create table public.keyed (id uuid not null) partition by range (id)"
        )
        owner.execute('create function public."Encode"(timestamptz) returns text language sql as $$select null::text$$')
        create_parent(owner, "public.old", "1 week")
        create_parent(
            owner,
            "public.keyed",
            "1 day",
            p_control="id",
            p_time_encoder="partman.uuid7_time_encoder",
            p_time_decoder="partman.uuid7_time_decoder",
        )
        owner.execute(
            "update partman.part_config set retention = '1 year', retention_schema = 'archive' "
            "where parent_table = 'public.old'"
        )
        owner.execute(
            """update partman.part_config set time_decoder = 'uuid7_time_decoder', time_encoder = 'public."Encode"' """
            "where parent_table = 'public.keyed'"
        )
        owner.execute("create view public.left_over as select * from partman.check_default()")
    upgrade = look(database.owner_dsn)
    found = {(concern.id, concern.object, concern.since) for concern in upgrade.concerns}
    assert found == {
        ("dependent-object", "public.left_over", "5.4.0"),
        ("maintenance-role", "partman.part_config", "5.5.0"),
        ("retention-schema", "public.old", "5.5.0"),
        ("routine-grants", "routines of partman", "5.4.0"),
        ("time-encoder", "public.keyed", "5.5.0"),
    }
    (encoder,) = _of(upgrade, "time-encoder")
    assert encoder.after == (
        "update partman.part_config set time_encoder = 'public.Encode' where parent_table = 'public.keyed';",
    )
    assert any("part_config_before_5" in statement for step in upgrade.steps for statement in step.statements) is False


@pytest.mark.one_server
def test_a_role_that_may_not_read_the_configuration_is_told_what_would_help(database: Database) -> None:
    with database.connect() as superuser:
        superuser.execute("revoke all on schema partman from app_owner")
    with pytest.raises(UpgradeNotChecked, match="may not read pg_partman's configuration") as refused:
        look(database.owner_dsn)
    assert refused.value.remedy is not None
    assert "grant usage on schema partman to app_owner" in refused.value.remedy


@pytest.mark.one_server
def test_a_database_without_pg_partman_has_nothing_to_do(database: Database) -> None:
    with database.connect() as superuser:
        superuser.execute("drop extension pg_partman cascade")
    ran = partwarden("upgrade-check", "-d", database.dsn)
    assert (ran.returncode, "it has no pg_partman" in ran.stdout) == (0, True)
    gone = "host=127.0.0.1 port=1 dbname=gone"
    ran = partwarden("upgrade-check", "-d", gone, "-d", database.dsn, "--json")
    told = json.loads(ran.stdout)["databases"]
    assert (ran.returncode, told[1]["database"], "could not connect" in told[0]["error"]) == (3, database.name, True)
    assert "could not connect" in ran.stderr


def test_the_page_has_every_concern() -> None:
    page = (Path(__file__).parents[2] / "docs" / "upgrade.md").read_text()
    told = {*re.findall(r"^\| ([a-z-]+) \| (?:critical|warning|note)", page, re.MULTILINE)}
    assert told == {question.id for question in upgrade_questions()} | {
        "call-changed",
        "no-update-path",
        "procedure-selected",
    }


@on_the_newest
def test_what_is_said_of_the_releases_is_what_their_scripts_do(server: Server) -> None:
    scripts = _scripts(server.cluster.installation)
    dropped: set[tuple[str, str]] = set()
    kept: set[tuple[str, str]] = set()
    for script in scripts.glob("pg_partman--*--*.sql"):
        before, after = script.stem.removeprefix("pg_partman--").split("--")
        if not Version("4.7.2") <= Version(before) < Version(after):
            continue
        text = script.read_text()
        found = re.findall(r"^DROP (?:FUNCTION|PROCEDURE) (?:IF EXISTS )?@extschema@\.(\w+)", text, re.MULTILINE)
        dropped |= {(after, name) for name in found}
        kept |= {(after, name) for name in re.findall(r"GRANT EXECUTE ON \w+ @extschema@\.(\w+)", text)}
    dropped.discard(("4.8.0", "partition_gap_fill"))  # 5.1.0 drops it again
    said = [each for each in DROPPED if each.kind is Kind.ROUTINE]
    assert {(each.since, each.name) for each in said} == dropped
    assert {(each.since, each.name) for each in said if each.keeps_grants} == kept & dropped


@on_the_newest
def test_what_is_said_of_columns_and_parameters_is_what_the_extension_has(with_4: Database) -> None:
    with with_4.connect() as superuser:
        columns_of_4, parameters_of_4 = _columns(superuser), _parameters(superuser)
        for version in ("5.0.0", "5.0.1", "5.1.0"):
            superuser.execute(f"alter extension pg_partman update to '{version}'")
        default_table = _columns(superuser)
        superuser.execute("alter extension pg_partman update")
        columns_of_5, parameters_of_5 = _columns(superuser), _parameters(superuser)
    said = {(each.name, each.part) for each in DROPPED if each.kind is Kind.COLUMN}
    assert said == (columns_of_4 | default_table) - columns_of_5
    for name, changes in CHANGED.items():
        for change in changes:
            if change.after is not None and name in parameters_of_4:
                assert change.before[: len(parameters_of_4[name])] == parameters_of_4[name]
            if change.after is None:
                assert name not in parameters_of_5
            else:
                assert parameters_of_5[name][: len(change.after)] == change.after


def _columns(superuser: psycopg.Connection[tuple[object, ...]]) -> set[tuple[object, object]]:
    rows = superuser.execute(
        "select table_name, column_name from information_schema.columns "
        "where table_schema = 'partman' and table_name like 'part_config%%'"
    ).fetchall()
    return {(table, column) for table, column in rows}


def _parameters(superuser: psycopg.Connection[tuple[object, ...]]) -> dict[str, tuple[str, ...]]:
    rows = superuser.execute(
        "select proname, proargnames[:pronargs] from pg_proc where pronamespace = 'partman'::regnamespace "
        "and proargnames is not null"
    ).fetchall()
    return {str(name): tuple(names) for name, names in rows if isinstance(names, list)}
