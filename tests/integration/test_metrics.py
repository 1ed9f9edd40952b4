"""Metrics of real databases: what partwarden check --format prometheus measures there, in a file that is always whole."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import psycopg
import pytest
from psycopg import sql

from partwarden import bundle, survey
from partwarden.database import Connection
from partwarden.install import install
from tests.commands import partwarden
from tests.metrics.collector import collecting
from tests.metrics.scraped import scraped
from tests.partition_sets import create_parent, daily_set, partman_version
from tests.servers import Database
from tests.waiting import wait_until

WEIRD = 'Weird "Table"\n<script>, \\ ünï'


@pytest.fixture
def owner(database: Database) -> Iterator[Connection]:
    with database.connect_owner() as connection:
        connection.execute("create schema app")
        yield connection


def measured(database: Database, *options: str) -> dict[str, dict[str, float]]:
    """Each metric's values, by the labels that are not the same for all of a database."""
    answer = partwarden("check", database.owner_dsn, "--format", "prometheus", *options)
    assert answer.stderr == ""
    common = {"target", "database"}
    return {
        name: {
            " ".join(text for label, text in labels.items() if label not in common): value for labels, value in samples
        }
        for name, samples in scraped(answer.stdout).items()
    }


def test_a_database_is_measured_with_nothing_installed_and_with_partwarden(
    database: Database, owner: Connection
) -> None:
    daily_set(owner, "app.well")
    owner.execute("insert into app.well select n, now() - n * interval '1 hour' from generate_series(1, 48) as n")
    daily_set(owner, "app.filled")
    owner.execute("insert into app.filled select n, now() - interval '1 year' from generate_series(1, 1234) as n")
    owner.execute("create table app.ids (id bigint not null) partition by range (id)")
    create_parent(owner, "app.ids", "1000", p_control="id", p_premake=4, p_start_partition="0")
    owner.execute("insert into app.ids select generate_series(1, 2500)")
    owner.execute("select partman.run_maintenance('app.ids')")
    owner.execute("create table app.old (day date not null) partition by range (day)")
    owner.execute("create table app.old_2020 partition of app.old for values from ('2020-01-01') to ('2021-01-01')")
    owner.execute("analyze app.filled")

    found = measured(database)
    assert found["partwarden_up"] == {"": 1}
    assert found["partwarden_sets"] == {"": 4}
    assert found["partwarden_default_rows"] == {"": 1234}
    assert found["partwarden_set_default_filled"] == {"app.well": 0, "app.filled": 1, "app.ids": 0}
    left = found["partwarden_set_headroom_seconds"]
    assert 4 * 86400 < left["app.well"] <= 7 * 86400
    assert left["app.old"] < 0
    assert found["partwarden_headroom_seconds"][""] == pytest.approx(min(left["app.well"], left["app.filled"]), abs=1)
    assert found["partwarden_set_headroom_ids"]["app.ids"] in (
        4000,
        5000,
    )  # as one reads what lies ahead of the last row
    assert found["partwarden_set_status"]["app.filled"] > 0
    assert found["partwarden_size_bytes"][""] > 0
    assert {"app.well time 1 day true", "app.ids id 1000 true", "app.old time  false"} <= set(
        found["partwarden_set_info"]
    )
    assert "partwarden_open_incidents" not in found
    if partman_version(owner) >= "5.1":
        assert found["partwarden_set_last_maintenance_timestamp_seconds"]["app.well"] == pytest.approx(
            time.time(), abs=60
        )

    install(owner)
    owner.execute("call partwarden.maintain()")
    owner.execute("call partwarden.monitor()")
    found = measured(database, "--metrics-per", "partition")
    assert sum(found["partwarden_open_incidents"].values()) > 0
    assert found["partwarden_notifications_pending"] == {"": 1}
    for name in ("last_maintenance", "monitor_last_look", "oldest_pending_notification"):
        assert found[f"partwarden_{name}_timestamp_seconds"][""] == pytest.approx(time.time(), abs=60), name
    assert found["partwarden_last_maintenance_success"] == {"": 1}
    sizes = found["partwarden_partition_size_bytes"]
    assert sum(key.startswith("app.well ") for key in sizes) == found["partwarden_set_partitions"]["app.well"]
    assert sizes["app.old 2020-01-01T00:00:00Z"] == 0


@pytest.mark.one_server
def test_jobs_are_measured_by_their_own_database(database: Database, owner: Connection) -> None:
    with psycopg.connect(database.server.cluster.dsn(), autocommit=True) as cron:
        cron.execute("select cron.schedule_in_database('maintain it', '0 0 1 1 *', 'select 1', %s)", (database.name,))
        cron.execute(
            """
            insert into cron.job_run_details
                (jobid, runid, job_pid, database, username, command, status, return_message, start_time, end_time)
            select jobid, nextval('cron.runid_seq'), 1, database, username, command, 'failed', 'no',
                now() - interval '90 seconds', now()
            from cron.job where jobname = 'maintain it'
            """
        )
    answer = partwarden(
        "check",
        database.dsn,
        database.server.cluster.dsn("postgres"),
        "--format",
        "prometheus",
        "--metrics-per",
        "database",
    )
    found = scraped(answer.stdout)
    ours = {name: samples for name, samples in found.items() if name.startswith("partwarden_job_")}
    of_it = {
        name: [value for labels, value in samples if labels["cron_job"] == "maintain it"]
        for name, samples in ours.items()
    }
    assert of_it["partwarden_job_last_success"] == [0]
    assert of_it["partwarden_job_last_duration_seconds"] == [90]
    assert of_it["partwarden_job_active"] == [1]


@pytest.mark.one_server
def test_sets_that_cannot_be_looked_at_have_no_samples(
    database: Database, owner: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    daily_set(owner, "app.a")
    owner.execute("insert into app.a values (1, now() - interval '1 year')")
    broken = bundle.Check("set_status", "view", (), (), "it is broken", "select 1 / 0, '', '', '{}'::jsonb, '', now()")
    monkeypatch.setattr(survey, "set_view", lambda **_: broken)
    found = measured(database)
    assert found["partwarden_up"] == {"": 1}
    assert found["partwarden_findings"]["default-not-empty warning"] == 1  # the checks are done all the same
    assert found["partwarden_findings"]["check-error warning"] == 1
    assert not {"partwarden_sets", "partwarden_headroom_seconds", "partwarden_set_status"} & set(found)


@pytest.mark.one_server
def test_a_hostile_name_is_a_label(database: Database, owner: Connection) -> None:
    owner.execute(
        sql.SQL(
            "create table app.{0} (day date not null) partition by range (day);"
            "create table app.part partition of app.{0} for values from ('2020-01-01') to ('2021-01-01')"
        ).format(sql.Identifier(WEIRD))
    )
    shown = 'app."' + WEIRD.replace('"', '""').replace("\n", r"\n") + '"'
    assert set(measured(database)["partwarden_set_status"]) == {shown}


@pytest.mark.one_server
def test_the_answer_goes_to_a_file_and_the_exit_code_is_the_same(database: Database, tmp_path: Path) -> None:
    file = tmp_path / "partwarden.prom"
    gone = "host=127.0.0.1 port=1 dbname=nowhere"
    answer = partwarden("check", database.owner_dsn, gone, "--format", "prometheus", "--output", str(file))
    assert (answer.returncode, answer.stdout, answer.stderr) == (3, "", "")
    assert [value for _, value in scraped(file.read_text())["partwarden_up"]] == [1, 0]
    assert list(tmp_path.iterdir()) == [file]
    for options, problem in (
        (("--format", "json", "--output", str(tmp_path / "no" / "file")), "could not write"),
        (("--output", str(file)), "a table is for a screen"),
        (("--format", "json", "--metrics-per", "set"), "goes with --format prometheus only"),
    ):
        refused = partwarden("check", database.owner_dsn, *options)
        assert (refused.returncode, refused.stdout) == (3, "")
        assert problem in refused.stderr
        assert "next:" in refused.stderr


@pytest.mark.one_server
def test_the_page_answers_a_scrape_and_sends_the_same_to_a_collector(database: Database, owner: Connection) -> None:
    daily_set(owner, "app.a")
    with collecting() as collector:
        settings = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_METRIC_EXPORT_INTERVAL": "200"}
        with serving(database.owner_dsn, settings) as url:
            wait_until(lambda: "partwarden_up" in scraped(get(url)), "the database was looked at")
            found = scraped(get(url))
            known = len(collector.requests)
            wait_until(lambda: len(collector.requests) > known + 1, "the collector is sent what there is")
    assert [labels["set"] for labels, _ in found["partwarden_set_headroom_seconds"]] == ["app.a"]
    assert found["partwarden_surveys_total"][0][1] >= 1
    assert found["partwarden_survey_errors_total"][0][1] == 0
    assert {name for name in found if "oldest_finding" not in name} <= set(collector.samples())
    assert len(collector.samples()["partwarden_set_status"]) == 1


@contextmanager
def serving(dsn: str, settings: Mapping[str, str]) -> Iterator[str]:
    """The address of /metrics of a page that is served as long as the block lasts."""
    command = [sys.executable, "-m", "partwarden", "serve", dsn, "--port", "0", "--refresh", "1"]
    with subprocess.Popen(command, env={**os.environ, **settings}, stderr=subprocess.PIPE, text=True) as page:
        try:
            assert page.stderr is not None
            yield page.stderr.readline().split()[0] + "metrics"
        finally:
            page.terminate()
            page.wait(timeout=20)


def get(url: str) -> str:
    with urlopen(url, timeout=10) as answer:  # noqa: S310 - our own page
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        return str(answer.read().decode())
