"""partwarden init: what it writes of a real database, and that planning from it changes nothing."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from partwarden.config import Config, read_config
from partwarden.database import Connection
from partwarden.initial import initial_file
from partwarden.install import install
from partwarden.planning import plan
from partwarden.schedule import schedule, unschedule
from tests.commands import partwarden
from tests.partition_sets import create_parent, create_sub_parent
from tests.servers import OWNER, Database


def make_table(
    owner: Connection,
    name: str,
    columns: str = "created_at timestamptz not null, id bigint not null",
    by: str = "range (created_at)",
) -> None:
    owner.execute("create schema if not exists app")
    owner.execute(
        sql.SQL("create table app.{} ({}) partition by {}").format(sql.Identifier(name), sql.SQL(columns), sql.SQL(by))
    )


def read_back(tmp_path: Path, text: str) -> Config:
    """The file, read; planning from it changes nothing."""
    file = tmp_path / "partwarden.yaml"
    file.write_text(text)
    config = read_config(file)
    (planned,) = plan(config).databases
    assert (planned.error, planned.steps, planned.obstacles) == (None, (), ()), text
    assert planned.notes == ()
    return config


def unwrapped(text: str) -> str:
    """The text with comments in one line each."""
    return re.sub(r"\n *# ", " ", text)


def entry(config: Config, table: str) -> dict[str, Any]:
    (found,) = [each for each in config.databases[0].partition_sets if table in each.tables]
    return found.model_dump(exclude_none=True, exclude={"tables"})


def test_a_database_is_written_down_and_nothing_is_changed_by_it(tmp_path: Path, database: Database) -> None:
    major = database.server.major
    with database.connect_owner() as owner:
        make_table(owner, "plain")
        create_parent(owner, "app.plain", "1 week")
        make_table(owner, "twice")
        create_parent(owner, "app.twice", "1 year", p_premake=1)
        create_sub_parent(owner, "app.twice", "created_at", "1 month", p_premake=1)
        for (child,) in owner.execute(
            "select parent_table from partman.part_config where parent_table like 'app.twice\\_%'"
        ).fetchall():
            create_sub_parent(owner, child, "id", "5000", p_premake=2)
        if major > 15:
            make_table(owner, "listed", "id int not null", "list (id)")
            create_parent(owner, "app.listed", "1", p_control="id", p_type="list")
            make_table(owner, "loose", "created_at timestamptz")
            create_parent(owner, "app.loose", "2 days", p_control_not_null=False)
            owner.execute(
                "update partman.part_config set datetime_string = 'YYYY_MM_DD' where parent_table = 'app.loose'"
            )
        if major == 18:
            make_table(owner, "documents", "created_at uuid not null")
            create_parent(
                owner, "app.documents", "1 month",
                p_time_encoder="partman.uuid7_time_encoder", p_time_decoder="partman.uuid7_time_decoder",
            )  # fmt: skip
            make_table(owner, "moved", "created_at bigint not null")
            create_parent(owner, "app.moved", "1000", p_offset_id=1)

    made = initial_file(database.owner_dsn, name="app")
    config = read_back(tmp_path, made.text)
    assert (made.sets, made.suggested, made.refused) == (len(config.databases[0].partition_sets), 0, 0)
    assert entry(config, "app.plain") == {"control": "created_at", "interval": "1 week"}
    assert entry(config, "app.twice") == {
        "control": "created_at",
        "interval": "1 year",
        "premake": 1,
        "sub": {
            "control": "created_at",
            "interval": "1 month",
            "premake": 1,
            "sub": {"control": "id", "interval": "5000", "premake": 2},
        },
    }
    if major > 15:
        assert entry(config, "app.listed") == {"control": "id", "interval": "1", "type": "list"}
        assert entry(config, "app.loose") == {
            "control": "created_at", "interval": "2 days", "datetime_string": "YYYY_MM_DD", "control_not_null": False,
        }  # fmt: skip
    if major == 18:
        assert entry(config, "app.documents") == {
            "control": "created_at", "interval": "1 month",
            "time_encoder": "partman.uuid7_time_encoder", "time_decoder": "partman.uuid7_time_decoder",
        }  # fmt: skip
        assert entry(config, "app.moved") == {"control": "created_at", "interval": "1000", "offset": 1}


def test_what_nobody_manages_is_suggested_and_what_can_not_be_said_is_told(tmp_path: Path, database: Database) -> None:
    with database.connect_owner() as owner:
        make_table(owner, "months")
        for month in (1, 2, 3):
            owner.execute(
                f"create table app.months_{month} partition of app.months "
                f"for values from ('2026-0{month}-01') to ('2026-0{month + 1}-01')"
            )
        make_table(owner, "ids", "id bigint not null", "range (id)")
        owner.execute("create table app.ids_1 partition of app.ids for values from (0) to (500)")
        make_table(owner, "spread", "id bigint", "hash (id)")
        make_table(owner, "values", by="list (id)")
        make_table(owner, "two", by="range (created_at, id)")
        make_table(owner, "above", by="range (id)")
        owner.execute(
            "create table app.within partition of app.above for values from (0) to (10) partition by range (created_at)"
        )
        create_parent(owner, "app.within", "1 day", p_premake=1)
        make_table(owner, "gone")
        create_parent(owner, "app.gone", "1 day", p_premake=1)
        owner.execute("drop table app.gone")
        make_table(owner, "odd")
        create_parent(owner, "app.odd", "1 day", p_premake=1)
        owner.execute("update partman.part_config set retention = '9000' where parent_table = 'app.odd'")
        made = initial_file(database.owner_dsn, name="app")
        assert (made.sets, made.suggested, made.refused) == (0, 6, 3)
        read_back(tmp_path, made.text)
        for told in (
            "Nobody manages app.months: 3 partitions, the last one ends at 2026-04-01",
            "      # - table: app.months\n      #   control: created_at\n      #   interval: 1 month\n",
            "      # - table: app.ids\n      #   control: id\n      #   interval: 500\n",
            "app.spread is partitioned by hash of id: pg_partman can't make partitions like that",
            "app.two is partitioned by range of created_at, id: pg_partman can't",
            "pg_partman 4 can't make partitions like that" if database.server.major == 15 else "#   type: list",
            "app.within: it is a partition of a table that pg_partman does not manage",
            "app.odd: retention.keep: for this set it is a length of time, as the interval is.",
            "      #   retention: {keep: 9000, then: detach}\n",
            "app.gone: pg_partman is configured for it, and there is no such table",
        ):
            assert told in made.text or told in unwrapped(made.text)
        # Whoever takes the strokes away has a file that is read.
        uncommented = made.text.replace("    # partition_sets:", "    partition_sets:")
        for table in ("months", "ids"):
            start = uncommented.index(f"      # - table: app.{table}\n")
            block = "".join(uncommented[start:].splitlines(keepends=True)[:3])
            uncommented = uncommented.replace(block, block.replace("      # ", "      "))
        file = tmp_path / "partwarden.yaml"
        file.write_text(uncommented)
        assert [each.interval for each in read_config(file).databases[0].partition_sets] == ["500", "1 month"]


def test_jobs_settings_policies_and_silences_are_written_down(tmp_path: Path, database: Database) -> None:
    with database.connect_owner() as owner:
        install(owner)
        make_table(owner, "events")
        create_parent(owner, "app.events", "1 day", p_premake=1)
        owner.execute("insert into partwarden.set_policy values ('app.events', 'off')")
        owner.execute(
            "update partwarden.setting set repair_rows = 7, remind_after = '12 hours', headroom = 2, heartbeat = false"
        )
        owner.execute(
            "insert into partwarden.silence values "
            "('gap', 'app.*', '2099-01-01 06:30', 'it''s: ${known}'), ('*', 'x', '2099-01-01', null)"
        )
        without_jobs = initial_file(database.owner_dsn).text
        assert "# maintenance: {repair_rows: 7}" in without_jobs
        read_back(tmp_path, without_jobs)

        function, topic = "arn:aws:lambda:eu-west-1:1:function:f", "arn:aws:sns:eu-west-1:1:it's"
        schedule(database.owner_dsn, lambda_arn=function, topic_arn=topic, maintenance="30 * * * *")
        with (
            psycopg.connect(database.server.cluster.dsn("postgres", OWNER), autocommit=True) as theirs,
            psycopg.connect(database.server.cluster.dsn("postgres"), autocommit=True) as cron,
        ):
            theirs.execute(
                "select cron.schedule_in_database('theirs', '5 1 * * *', 'call partman.run_maintenance_proc()', %s)",
                (database.name,),
            )
            text = initial_file(database.owner_dsn).text
            (described,) = read_back(tmp_path, text).databases
            assert described.maintenance
            assert described.maintenance.model_dump(exclude_none=True) == {"schedule": "30 * * * *", "repair_rows": 7}
            assert described.monitor
            assert (described.monitor.lambda_arn, described.monitor.topic_arn) == (function, topic)
            assert (described.monitor.remind_after, described.monitor.heartbeat) == ("12 hours", False)
            assert described.thresholds == {"headroom": 2}
            assert [(each.check, each.note) for each in described.silences] == [("*", None), ("gap", "it's: ${known}")]
            assert described.partition_sets[0].repair == "off"
            assert (
                "has pg_partman maintain this database (5 1 * * *): call partman.run_maintenance_proc()"
                in unwrapped(text)
            )

            cron.execute(
                "update cron.job set active = false where jobname like 'partwarden maintain%%' and database = %s",
                (database.name,),
            )
            cron.execute(
                "update cron.job set command = command || ' -- by hand' "
                "where jobname like 'partwarden monitor%%' and database = %s",
                (database.name,),
            )
            text = initial_file(database.owner_dsn).text
            (described,) = read_back(tmp_path, text).databases
            assert (described.maintenance, described.monitor) == (None, None)
            assert "is switched off; with this section it would be switched on" in unwrapped(text)
            assert "runs something else, which this section would change" in unwrapped(text)
        unschedule(database.owner_dsn)


@pytest.mark.one_server
def test_the_command_writes_a_file_once_and_never_a_password(tmp_path: Path, database: Database) -> None:
    file = tmp_path / "made.yaml"
    passwords = Path(str(conninfo_to_dict(database.owner_dsn)["passfile"])).read_text().splitlines()
    (password,) = {line.rpartition(":")[2] for line in passwords if ":app_owner:" in line}
    with_password = f"{database.owner_dsn} password={password}"
    first = partwarden("init", with_password, "-o", str(file), "--name", "app")
    assert (first.returncode, first.stdout) == (0, "")
    assert f"next: partwarden plan --config {file}" in first.stderr
    assert password not in file.read_text() + first.stderr
    assert partwarden("plan", "--config", str(file)).returncode == 0
    again = partwarden("init", with_password, "-o", str(file))
    assert again.returncode == 3
    assert "is there already" in again.stderr
    assert partwarden("init", with_password, "-o", str(file), "--force").returncode == 0
    printed = partwarden("init", "env:THE_DSN", "--name", "app", env={"THE_DSN": with_password})
    assert "dsn: env:THE_DSN\n" in printed.stdout
    answer = json.loads(partwarden("init", with_password, "--json").stdout)
    assert answer["text"].startswith("# What database")
    assert (answer["sets"], answer["file"]) == (0, None)
    nowhere = partwarden("init", with_password, "-o", str(tmp_path / "no" / "folder.yaml"))
    assert nowhere.returncode == 3
    assert "No such file or directory" in nowhere.stderr
