"""The command line as a user sees it, without a terminal."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from cyclopts import App
from psycopg.conninfo import conninfo_to_dict

from partwarden import __version__, bundle
from partwarden.cli import app
from partwarden.database import connect
from tests.commands import partwarden
from tests.partition_sets import daily_set, put_row_in_the_way
from tests.servers import Database

pytestmark = pytest.mark.one_server


def commands(of: App, prefix: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], App]]:
    """Every command below an app, with its words."""
    for name in of:
        if not name.startswith("-"):
            command = of[name]
            yield (*prefix, name), command
            yield from commands(command, (*prefix, name))


def test_help_reads_like_a_table_of_contents() -> None:
    answer = partwarden("--help")
    assert answer.returncode == 0
    for words, command in commands(app):
        if len(words) == 1:
            assert words[0] in answer.stdout
        assert command.help.strip(), words


@pytest.mark.parametrize("words", [words for words, _ in commands(app)], ids=" ".join)
def test_every_command_explains_itself(words: tuple[str, ...]) -> None:
    answer = partwarden(*words, "--help")
    assert answer.returncode == 0
    assert f"partwarden {' '.join(words)}" in answer.stdout


@pytest.mark.parametrize(
    "program", [[sys.executable, "-m", "partwarden"], [Path(sys.executable).with_name("partwarden")]]
)
def test_the_program_says_its_version_and_leaves_with_its_code(program: list[str | Path]) -> None:
    version = subprocess.run([*program, "--version"], capture_output=True, text=True, timeout=60)
    assert (version.returncode, version.stdout.strip(), version.stderr) == (0, __version__, "")
    typo = subprocess.run([*program, "chek"], capture_output=True, text=True, timeout=60)
    assert (typo.returncode, typo.stdout) == (3, "")
    assert "Traceback" not in typo.stderr


@pytest.mark.parametrize("typo", [("instal", "x"), ("install", "x", "--clustr", "y"), ("install",), ("local", "strat")])
def test_a_typo_is_no_verdict_on_a_database(typo: tuple[str, ...]) -> None:
    """Exit code 2 would read as critical."""
    answer = partwarden(*typo)
    assert answer.returncode == 3
    assert answer.stdout == ""
    assert answer.stderr.strip()


def test_the_nearest_name_is_suggested() -> None:
    assert "did you mean partwarden install?" in partwarden("instal", "x").stderr


def test_an_unreachable_server_is_one_clear_error_without_the_password() -> None:
    answer = partwarden("install", "host=127.0.0.1 port=1 user=me password=s3cr3t-w0rd")
    assert answer.returncode == 3
    assert answer.stdout == ""
    assert answer.stderr.startswith("error: could not connect to user=me host=127.0.0.1 port=1:")
    assert "s3cr3t-w0rd" not in answer.stderr
    assert "next:" in answer.stderr


def test_what_is_no_connection_string_is_said() -> None:
    answer = partwarden("install", "not a=dsn at=all password=s3cr3t-w0rd")
    assert answer.returncode == 3
    assert "connection string" in answer.stderr
    assert "s3cr3t-w0rd" not in answer.stderr


def test_install_schedule_and_all_the_way_back(database: Database) -> None:
    dsn = database.owner_dsn
    first = partwarden("install", dsn, "--cluster", "prod-eu")
    assert (first.returncode, first.stderr) == (0, "")
    assert first.stdout.startswith(f"installed partwarden {__version__} in database {database.name}\n")
    assert "nothing to do" in partwarden("install", dsn).stdout

    scheduled = partwarden("schedule", dsn, "--lambda-arn", "arn:lambda", "--topic-arn", "arn:topic")
    assert scheduled.returncode == 0
    assert f"partwarden maintain {database.name}" in scheduled.stdout
    assert "call partwarden.monitor('arn:lambda', 'arn:topic')" in scheduled.stdout
    assert partwarden("schedule", dsn).stdout.count("unchanged") == 2

    removed = partwarden("uninstall", dsn)
    assert removed.returncode == 0
    assert f"removed job partwarden monitor {database.name}" in removed.stdout
    assert "removed partwarden" in removed.stdout
    assert "nothing to do" in partwarden("uninstall", dsn).stdout


def test_the_file_names_the_database_and_says_what_a_command_is_not_told(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "partwarden.yaml"
    file.write_text(
        "databases:\n  - {name: shop, dsn: 'env:SHOP', cluster: prod-eu, cron_database: postgres, "
        "thresholds: {require_default: true}}\n"
    )
    shop = {"SHOP": database.owner_dsn}
    installed = json.loads(partwarden("install", "--json", env=shop).stdout)
    assert (installed["database"], installed["before"], installed["changed"]) == (database.name, None, True)
    again = partwarden("install", "shop", "-v", env=shop)
    assert "nothing to do" in again.stdout
    assert re.search(rf"connected to .*dbname={database.name}.* as app_owner in \d+ ms", again.stderr)
    with database.connect_owner() as owner:
        assert owner.execute("select cluster from partwarden.setting").fetchone() == ("prod-eu",)
        owner.execute("create schema app")
        daily_set(owner, "app.a")
        owner.execute("drop table app.a_default")
    quiet = partwarden("schedule", "-q", "--json", env=shop)
    assert [job["change"] for job in json.loads(quiet.stdout)["jobs"]] == ["added", "added"]
    assert quiet.stderr == ""
    assert "note: no --lambda-arn" in partwarden("schedule", "-d", "shop", env=shop).stderr
    checked = json.loads(partwarden("check", "--json", "--only", "no-default", env=shop).stdout)
    assert (checked["target"], [each["check"] for each in checked["findings"]]) == ("shop", ["no-default"])
    own = partwarden("check", "-d", "shop", "--threshold", "require_default=off", "--only", "no-default", env=shop)
    assert own.returncode == 0
    assert json.loads(partwarden("incidents", "list", "--json", env=shop).stdout) == {"incidents": []}
    assert len(json.loads(partwarden("unschedule", "--json", env=shop).stdout)["removed_jobs"]) == 2
    assert json.loads(partwarden("uninstall", "--json", env=shop).stdout) == {"removed_jobs": [], "removed": True}
    file.write_text(file.read_text() + "  - {name: other, dsn: dbname=other}\n")
    chosen = partwarden("install", env=shop)
    assert (chosen.returncode, "2 are in the file: shop, other" in chosen.stderr) == (3, True)


def test_a_drain_names_the_nearest_set_and_begins_nothing_when_its_time_is_over(database: Database) -> None:
    with database.connect_owner() as owner:
        owner.execute("create schema app")
        daily_set(owner, "app.events")
        owner.execute("insert into app.events select n, now() - n * interval '1 day' from generate_series(30, 60) as n")
    unknown = partwarden("drain", "app.event", "-d", database.owner_dsn)
    assert (unknown.returncode, "did you mean app.events?" in unknown.stderr) == (3, True)
    late = partwarden("drain", "app.events", "-d", database.owner_dsn, "--timeout", "0.001", "--method", "batch")
    assert (late.returncode, late.stdout) == (1, "")
    assert "0.001 seconds are over; nothing is lost: the same command goes on" in late.stderr
    mended = partwarden("repair", "-d", database.owner_dsn, "--timeout", "0.001", "--yes")
    assert (mended.returncode, "0.001 seconds are over" in mended.stdout) == (1, True)
    done = partwarden("drain", "app.events", "-d", database.owner_dsn)
    assert (done.returncode, "31 rows moved into" in done.stdout) == (0, True)
    assert "draining app.events_default: 31 rows" in done.stderr
    nothing = partwarden("drain", "app.events", "-d", database.owner_dsn, "-q")
    assert (nothing.stdout, nothing.stderr) == ("nothing to move out of app.events_default\n", "")


def test_a_database_may_not_take_longer_than_it_is_given(database: Database) -> None:
    with database.connect_owner() as owner:
        owner.execute("create schema app")
        daily_set(owner, "app.a")
        with pytest.raises(psycopg.errors.QueryCanceled), connect(database.owner_dsn, timeout=0.05) as connection:
            connection.execute("select pg_sleep(30)")
    late = partwarden("check", database.dsn, "--timeout", "0.001")
    assert (late.returncode, "no answer within 0.001 s" in late.stdout) == (3, True)


def test_the_database_can_be_named_as_libpq_does(database: Database) -> None:
    cluster = database.server.cluster
    as_environment = {
        "PGHOST": "127.0.0.1",
        "PGPORT": str(cluster.port),
        "PGUSER": "app_owner",
        "PGDATABASE": database.name,
        "PGPASSFILE": str(cluster.password_file),
    }
    assert partwarden("install", "", env=as_environment).returncode == 0
    uri = f"postgresql://app_owner@127.0.0.1:{cluster.port}/{database.name}?passfile={cluster.password_file}"
    assert "nothing to do" in partwarden("install", uri).stdout


def test_aws_lambda_comes_and_goes(database: Database) -> None:
    assert "removed" in partwarden("local", "install-aws-lambda", database.dsn, "--remove").stdout
    assert "installed" in partwarden("local", "install-aws-lambda", database.dsn).stdout
    refused = partwarden("local", "install-aws-lambda", database.owner_dsn)
    assert refused.returncode == 3
    assert "superuser" in refused.stderr


def test_without_a_stack_each_command_says_so(tmp_path: Path) -> None:
    home = {"PARTWARDEN_HOME": str(tmp_path / "nothing")}
    status = partwarden("local", "status", env=home)
    assert status.returncode == 1
    assert "not made yet: partwarden local start" in status.stdout
    assert partwarden("local", "stop", env=home).stdout == "nothing was running\n"
    assert partwarden("local", "destroy", "--yes", env=home).stdout == "there is nothing to remove\n"
    psql = partwarden("local", "psql", env=home)
    assert psql.returncode == 3
    assert "partwarden local start" in psql.stderr
    assert not (tmp_path / "nothing").exists()


def test_check_exits_as_monitoring_plugins_do(database: Database) -> None:
    with database.connect_owner() as owner:
        owner.execute("create schema app")
        daily_set(owner, "app.a")
        without_jobs = ("--skip", "job-missing")
        well = partwarden("check", database.dsn, *without_jobs)
        assert (well.returncode, well.stdout.strip().splitlines()[-1]) == (
            0,
            "ok: nothing wrong found in what could be checked",
        )
        owner.execute("insert into app.a values (1, now() - interval '1 year')")
        assert partwarden("check", database.dsn, *without_jobs).returncode == 1
        put_row_in_the_way(owner, "app.a")
        assert partwarden("check", database.dsn, *without_jobs).returncode == 2
    gone = partwarden("check", "host=127.0.0.1 port=1 dbname=nowhere")
    assert (gone.returncode, "could not be asked" in gone.stdout) == (3, True)
    for wrong in (("--only", "gapp"), ("--severity", "gap=bad"), ("--threshold", "no=1"), ("--format", "xml")):
        assert partwarden("check", database.dsn, *wrong).returncode == 3, wrong


def test_check_connects_as_libpq_does(database: Database, tmp_path: Path) -> None:
    parts = {name: str(value) for name, value in conninfo_to_dict(database.owner_dsn).items()}
    variables = {"host": "PGHOST", "port": "PGPORT", "dbname": "PGDATABASE", "user": "PGUSER", "passfile": "PGPASSFILE"}
    by_variables = partwarden("check", "--format", "json", env={variables[name]: parts[name] for name in variables})
    (tmp_path / ".pg_service.conf").write_text(
        "[reporting]\n" + "".join(f"{name}={value}\n" for name, value in parts.items())
    )
    by_service = partwarden("check", "service=reporting", "--format", "json", env={"HOME": str(tmp_path)})
    for answer in (by_variables, by_service):
        server = json.loads(answer.stdout)["server"]
        assert (server["database"], server["port"]) == (database.name, parts["port"])
    several = partwarden("check", database.dsn, database.owner_dsn, "--format", "jsonl")
    assert [json.loads(line)["server"]["database"] for line in several.stdout.splitlines()] == [database.name] * 2


@pytest.mark.parametrize(
    ("output", "says"),
    [
        ("table", "  WARNING   app.a  default-not-empty\n"),
        ("json", '"check": "default-not-empty"'),
        ("jsonl", '"check":"default-not-empty"'),
        ("nagios", "PARTWARDEN WARNING - 1 warning: app.a default-not-empty | critical=0;;0;0 warning=1;0;;0 "),
        ("prometheus", 'check="default-not-empty",severity="warning"} 1\n'),
        ("junit", 'name="default-not-empty app.a"'),
    ],
)
def test_check_writes_every_format(database: Database, output: str, says: str) -> None:
    with database.connect_owner() as owner:
        owner.execute("create schema app")
        daily_set(owner, "app.a")
        owner.execute("insert into app.a values (1, now() - interval '1 year')")
    answer = partwarden("check", database.dsn, "--skip", "job-missing", "--format", output)
    assert (answer.returncode, answer.stderr) == (1, "")
    assert says in answer.stdout


def test_check_reads_the_databases_of_a_file(database: Database, tmp_path: Path) -> None:
    file = tmp_path / "partwarden.yaml"
    file.write_text(
        "databases:\n  - {name: first, dsn: 'env:FIRST_DSN'}\n  - {name: gone, dsn: 'host=127.0.0.1 port=1'}\n"
    )
    answer = partwarden("check", "--config", str(file), "--format", "json", env={"FIRST_DSN": database.dsn})
    assert answer.returncode == 3
    first, gone = json.loads(answer.stdout)["reports"]
    assert (first["target"], first["status"]) == ("first", "ok")
    assert (gone["target"], gone["status"]) == ("gone", "unknown")
    file.write_text("databases:\n  - {name: first, dsn: 'host=h password=hunter2'}\n")
    refused = partwarden("check", "-c", str(file))
    assert refused.returncode == 3
    assert "databases[0].dsn: no password belongs into this file" in refused.stderr
    assert "hunter2" not in refused.stderr + refused.stdout
    for text, problem in (
        ("databases: []", "databases"),
        ("- : :", "is not YAML"),
        ("databases: [{name: a, dsn: dbname=b, more: 1}]", "more"),
    ):
        file.write_text(text)
        assert problem in partwarden("check", "-c", str(file)).stderr
    missing = partwarden("check", "-c", str(tmp_path / "none.yaml"))
    assert "could not read" in missing.stderr


def test_check_looks_again_until_it_is_interrupted(database: Database) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "partwarden", "check", database.dsn, "--watch", "0.2", "--format", "jsonl"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    rounds = [json.loads(process.stdout.readline())["status"] for _ in range(3)]
    process.send_signal(signal.SIGINT)
    assert rounds == ["ok", "ok", "ok"]
    assert process.wait(timeout=20) == 0
    process.stdout.close()


def test_checks_are_listed_and_explained() -> None:
    listed = partwarden("checks").stdout
    for check in bundle.checks():
        assert f"\n{check.id} " in listed
        explained = partwarden("explain", check.id) if check.id in ("gap", "job-overdue") else None
        assert explained is None or explained.stdout.startswith(f"# {check.id}\n")
    assert "with given as materialized" in partwarden("explain", "run-log-off", "--sql").stdout
    unknown = partwarden("explain", "gaps")
    assert (unknown.returncode, "did you mean gap?" in unknown.stderr) == (3, True)
