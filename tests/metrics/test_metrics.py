"""What is measured of surveys, as Prometheus's own library reads it."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from partwarden.findings import Finding, Skipped
from partwarden.metrics import Per, Tally, render
from partwarden.metrics.measure import ROOMS, measure
from partwarden.metrics.metric import Kind
from partwarden.survey import Survey
from tests.metrics.scraped import scraped, values
from tests.metrics.surveys import (
    APP,
    BLOCKED,
    DAY,
    FILLED,
    HOSTILE,
    NOW,
    TARGET,
    a_job,
    a_record,
    a_report,
    a_set,
    a_survey,
    spans,
    unreachable,
)

APP_LABELS = {"target": TARGET, "database": "app"}
PAGE = Path(__file__).parents[2] / "docs" / "check-output.md"
RESERVED = {"job", "instance", "le", "quantile"}
"""Prometheus puts these on itself, or means something by them."""


def test_names_and_labels_are_as_prometheus_wants_them() -> None:
    metrics = [metric for room in ROOMS for metric in room.metrics]
    names = [metric.name for metric in metrics]
    assert len(set(names)) == len(names)
    for metric in metrics:
        assert re.fullmatch(r"partwarden(_[a-z]+)+", metric.name)
        assert (metric.kind is Kind.COUNTER) == metric.name.endswith("_total"), metric.name
        assert not re.search(r"_(milliseconds|minutes|hours|kb|mb|count|percent|age)$", metric.name)
        assert ("timestamp" in metric.name) == metric.name.endswith("_timestamp_seconds")
        assert metric.name.endswith("_info") == metric.help.endswith("always 1."), metric.name
        assert re.fullmatch(r"[A-Z][^\n\\]+\.", metric.help), metric.name
        assert len(metric.help) < 200
    for room in ROOMS:
        assert not RESERVED & set(room.labels)
        assert all(re.fullmatch(r"[a-z_]+", label) for label in room.labels)
        assert len(set(room.labels)) == len(room.labels)


def test_every_metric_comes_of_a_database_that_has_everything() -> None:
    tally = Tally()
    tally.note(APP)
    full = replace(
        APP,
        sets=tuple(replace(each, spans=tuple(spans(8192))) for each in APP.sets),
        jobs=(a_job(running_since=NOW),),
        record=a_record(pending=2, pending_since=NOW),
    )
    found = scraped(render([full], per=Per.PARTITION, tally=tally))
    assert list(found) == [metric.name for room in ROOMS for metric in room.metrics]


def test_what_a_database_is_like_as_a_whole() -> None:
    found = scraped(render([APP]))
    assert {name: samples[0] for name, samples in found.items() if set(samples[0][0]) == set(APP_LABELS)} == {
        name: (APP_LABELS, value)
        for name, value in {
            "partwarden_up": 1,
            "partwarden_check_status": 2,
            "partwarden_skipped_checks": 1,
            "partwarden_check_duration_seconds": 0.412,
            "partwarden_survey_timestamp_seconds": NOW.timestamp(),
            "partwarden_headroom_seconds": -7200,
            "partwarden_sets": 3,
            "partwarden_partitions": 27,
            "partwarden_size_bytes": 3 * 123_456_789,
            "partwarden_default_rows": 12,
            "partwarden_default_partitions_filled": 1,
            "partwarden_last_maintenance_timestamp_seconds": NOW.timestamp() - 3510,
            "partwarden_sets_omitted": 0,
            "partwarden_jobs_omitted": 0,
            "partwarden_notifications_pending": 0,
            "partwarden_last_delivery_timestamp_seconds": NOW.timestamp() - 10800,
            "partwarden_monitor_last_look_timestamp_seconds": NOW.timestamp() - 7,
            "partwarden_last_heartbeat_timestamp_seconds": NOW.timestamp() - 50,
            "partwarden_last_maintenance_success": 1,
        }.items()
    }
    assert found["partwarden_findings"] == [
        (APP_LABELS | {"check": "default-blocks-maintenance", "severity": "critical"}, 1),
        (APP_LABELS | {"check": "default-not-empty", "severity": "warning"}, 1),
    ]
    assert found["partwarden_oldest_finding_timestamp_seconds"] == [
        (APP_LABELS | {"check": "default-not-empty", "severity": "warning"}, (NOW - 3 * DAY).timestamp())
    ]
    versions = {"postgresql": "17.6", "pg_partman": "5.2.4", "pg_cron": ""}
    assert found["partwarden_server_info"] == [(APP_LABELS | versions, 1)]
    assert found["partwarden_installed_info"] == [(APP_LABELS | {"version": "0.1.0"}, 1)]
    assert found["partwarden_open_incidents"] == [
        (APP_LABELS | {"severity": "critical"}, 1),
        (APP_LABELS | {"severity": "warning"}, 0),
    ]


def test_what_each_set_is_like() -> None:
    found = scraped(render([APP]))

    def by_set(name: str) -> dict[str, float]:
        return {labels["set"]: value for labels, value in found[f"partwarden_set_{name}"]}

    assert by_set("status") == {"app.events": 2, "app.orders": 1, "app.ids": 0}
    assert by_set("headroom_seconds") == {"app.events": -7200, "app.orders": 4 * 86400, "app.ids": 2 * 86400}
    assert by_set("headroom_ids") == {"app.ids": 86_400}
    assert by_set("partitions_ahead") == {"app.events": 0, "app.orders": 4, "app.ids": 4}
    assert by_set("default_rows") == {"app.events": 0, "app.orders": 12}
    assert by_set("default_filled") == {"app.events": 0, "app.orders": 1}
    assert by_set("last_maintenance_timestamp_seconds")["app.events"] == NOW.timestamp() - 14 * 60
    assert {tuple(labels.values())[2:] for labels, _ in found["partwarden_set_info"]} == {
        ("app.events", "time", "1 day", "true"),
        ("app.orders", "time", "1 day", "true"),
        ("app.ids", "id", "1000", "true"),
    }


def test_what_is_not_known_has_no_sample_instead_of_zero() -> None:
    gone = scraped(render([unreachable()]))
    assert {name: samples[0][1] for name, samples in gone.items()} == {
        "partwarden_up": 0,
        "partwarden_check_status": 3,
        "partwarden_check_duration_seconds": 0.031,
        "partwarden_survey_timestamp_seconds": NOW.timestamp(),
    }
    unseen = scraped(render([a_survey(report=a_report(skipped=(Skipped("set_status", "the check failed: no"),)))]))
    assert not {"partwarden_sets", "partwarden_default_rows", "partwarden_headroom_seconds"} & set(unseen)
    unknown = a_set("app.new", left=None, default_rows=None, last_maintained=None, kind="id", ids_left=10)
    found = scraped(render([a_survey(sets=(unknown,), jobs=(a_job(last_started=None, last_status=None),))]))
    for name in ("headroom_seconds", "default_rows", "last_maintenance_timestamp_seconds"):
        assert f"partwarden_set_{name}" not in found, name
    assert found["partwarden_set_default_filled"][0][1] == 1  # there are some, and nobody knows how many
    assert found["partwarden_default_partitions_filled"][0][1] == 1
    assert "partwarden_last_maintenance_timestamp_seconds" not in found
    assert not {"partwarden_job_last_duration_seconds", "partwarden_job_last_success"} & set(found)
    assert "partwarden_open_incidents" not in found  # partwarden is not installed there


def test_a_set_that_never_ends_and_one_that_nobody_manages_are_not_the_tightest() -> None:
    old = a_set("app.old", left=-400 * DAY, is_managed=False)
    endless = a_set("app.endless", left=None, is_endless=True)
    text = render([a_survey(sets=(old, endless))])
    assert values(text, "partwarden_headroom_seconds") == [math.inf]
    assert values(text, "partwarden_set_headroom_seconds") == [-400 * 86400, math.inf]
    assert values(render([a_survey(sets=(old, endless, a_set()))]), "partwarden_headroom_seconds") == [4 * 86400]


def test_without_maintain_the_set_that_has_waited_longest_counts() -> None:
    early, late = (a_set(name, last_maintained=NOW - days * DAY) for name, days in (("app.a", 5), ("app.b", 1)))
    name = "partwarden_last_maintenance_timestamp_seconds"
    assert values(render([a_survey(sets=(early, late))]), name) == [(NOW - 5 * DAY).timestamp()]
    never = a_set("app.c", last_maintained=None)
    assert values(render([a_survey(sets=(early, never))]), name) == []


def test_jobs_are_told_of_once() -> None:
    maintain, failed = a_job(), a_job(4, "purge", "postgres", last_status="failed")
    elsewhere = a_job(5, "maintain b", "b")
    cron = {"database": "postgres"}
    jobs = (maintain, failed, elsewhere)
    surveys = [a_survey("app", jobs=jobs, facts=cron), a_survey("postgres", jobs=jobs, facts=cron)]
    found = scraped(render(surveys))
    assert [(labels["database"], labels["jobid"], value) for labels, value in found["partwarden_job_last_success"]] == [
        ("app", "3", 1),
        ("postgres", "4", 0),
        ("postgres", "5", 1),  # nobody surveys its own database
    ]
    assert [value for _, value in found["partwarden_job_last_duration_seconds"]] == [90, 90, 90]
    blind = [a_survey("app"), surveys[1]]  # its role may not look at pg_cron
    assert values(render(blind), "partwarden_job_active") == [1, 1, 1]


def test_a_database_that_was_asked_twice_counts_once_as_it_was_worst() -> None:
    again = replace(APP, report=replace(APP.report, findings=(FILLED,)))
    for surveys in [(APP, again), (again, APP)]:
        assert values(render(surveys), "partwarden_check_status") == [2]
    elsewhere = replace(APP, report=replace(APP.report, target="host=other dbname=app"))
    assert values(render([APP, elsewhere]), "partwarden_up") == [1, 1]


def test_series_of_a_database_are_bounded_and_say_how_many_are_left_out() -> None:
    sets = tuple(a_set(f"app.t{number:04}", left=number * DAY, spans=tuple(spans(1, 2, 3))) for number in range(3000))
    jobs = tuple(a_job(number, f"job {number}") for number in range(3000))
    findings = tuple(replace(FILLED, object=each.name) for each in sets)
    survey = a_survey(report=a_report(findings=findings), sets=sets, jobs=jobs)
    for per, most in ((Per.DATABASE, 3_000), (Per.SET, 9_000), (Per.PARTITION, 12_000)):
        text = render([survey], per=per)
        assert 2_500 < len(text.splitlines()) < most
        assert ("partwarden_sets_omitted" in text) == (per >= Per.SET)
    found = scraped(text)
    assert {labels["set"] for labels, _ in found["partwarden_set_partitions"]} == {each.name for each in sets[:500]}
    assert {name: found[f"partwarden_{name}"][0][1] for name in ("sets", "findings")} == {
        "sets": 3000,
        "findings": 3000,
    }
    assert {name: found[f"partwarden_{name}_omitted"][0][1] for name in ("sets", "jobs", "partitions")} == {
        "sets": 2500,
        "jobs": 2500,
        "partitions": 3000 * 9 - 500 * 3,
    }
    assert len(found["partwarden_partition_size_bytes"]) == 1500
    many = replace(survey, sets=tuple(replace(each, spans=tuple(spans(*range(30)))) for each in sets))
    assert render([many], per=Per.PARTITION).count("\npartwarden_partition_size_bytes{") == 10_000


@pytest.mark.parametrize("per", Per)
def test_series_go_as_far_into_a_database_as_asked(per: Per) -> None:
    survey = replace(APP, sets=tuple(replace(each, spans=tuple(spans(8192, None))) for each in APP.sets[:2]))
    labels = {label for samples in scraped(render([survey], per=per)).values() for each, _ in samples for label in each}
    assert ("set" in labels, "lower" in labels) == (per >= Per.SET, per >= Per.PARTITION)


def test_a_partition_is_known_by_where_it_begins() -> None:
    by_id = tuple(replace(span, lower=4e15, upper=4e15 + 1000) for span in spans(1))
    far = tuple(replace(span, lower=1e15, upper=2e15) for span in spans(1))
    sets = (
        a_set(spans=tuple(spans(8192, None))),
        a_set("app.ids", kind="id", spans=by_id),
        a_set("app.far", spans=far),
    )
    found = scraped(render([a_survey(sets=sets)], per=Per.PARTITION))
    assert [(labels["set"], labels["lower"], value) for labels, value in found["partwarden_partition_size_bytes"]] == [
        ("app.events", "2026-11-27T00:00:00Z", 8192),
        ("app.ids", "4000000000000000", 1),
        ("app.far", "1000000000000000", 1),
    ]


def test_hostile_names_are_labels_like_any_other() -> None:
    finding = Finding(HOSTILE, "critical", HOSTILE, HOSTILE, HOSTILE, {}, HOSTILE, None)
    hostile = Survey(
        HOSTILE,
        NOW,
        replace(a_report(HOSTILE, findings=(finding,)), target=HOSTILE),
        sets=(a_set(HOSTILE, interval=HOSTILE, spans=tuple(spans(1))), a_set(HOSTILE + "\n", default_rows=7)),
        jobs=(a_job(3, HOSTILE * 100, HOSTILE),),
        record=a_record(version=HOSTILE),
    )
    text = render([hostile], per=Per.PARTITION)
    shown = r'"a ""b"" |\n[red]\x1b[31m\x00\u202e\<script>'
    found = scraped(text)
    assert found["partwarden_up"] == [({"target": shown, "database": shown}, 1)]
    assert [labels["set"] for labels, _ in found["partwarden_set_status"]] == [shown, shown + r"\n"]
    assert found["partwarden_findings"][0][0]["check"] == shown
    assert len(found["partwarden_job_active"][0][0]["cron_job"]) == 200
    assert len({line.partition("}")[0] for line in text.splitlines()}) == len(text.splitlines())


def test_names_that_look_alike_are_one_series() -> None:
    alike = (a_set("app.a\n"), a_set(r"app.a\n", default_rows=7))
    assert values(render([a_survey(sets=alike)]), "partwarden_set_default_rows") == [0]


def test_each_metric_is_described_before_its_samples_once() -> None:
    written = render([APP, unreachable()])
    assert written.endswith("\n")
    blocks = re.findall(r"# HELP (\S+) .+\n# TYPE (\S+) (?:gauge|counter)\n((?:(?!#).+\n)+)", written)
    assert [name for name, _, _ in blocks] == list(scraped(written))
    for name, typed, block in blocks:
        assert typed == name
        assert {re.split("[{ ]", line)[0] for line in block.splitlines()} == {name}


def test_what_a_finding_is_about_is_counted_and_not_named() -> None:
    findings = tuple(replace(FILLED, object=f"app.t{number}", since=NOW - number * DAY) for number in range(300))
    text = render([a_survey(report=a_report(findings=(*findings, BLOCKED)))])
    assert values(text, "partwarden_findings") == [1, 300]
    assert values(text, "partwarden_oldest_finding_timestamp_seconds") == [(NOW - 299 * DAY).timestamp()]
    assert "app.t" not in text


def test_the_example_in_the_documentation_is_what_is_written() -> None:
    section = PAGE.read_text().partition("## prometheus\n")[2]
    example = section.split("```\n")[1]
    assert len(example.splitlines()) > 15
    assert set(example.splitlines()) <= set(render([APP]).splitlines())


def test_the_program_counts_its_looks() -> None:
    tally = Tally()
    assert list(scraped(render([], tally=tally))) == ["partwarden_build_info"]
    for survey in (APP, unreachable(), APP, unreachable(), unreachable()):
        tally.note(survey)
    found = scraped(render([APP], tally=tally))
    assert {labels["target"]: value for labels, value in found["partwarden_surveys_total"]} == {TARGET: 2, "old": 3}
    assert {labels["target"]: value for labels, value in found["partwarden_survey_errors_total"]} == {
        TARGET: 0,
        "old": 3,
    }


def test_a_textfile_holds_nothing_of_the_program() -> None:
    """Two files of two calls would have the same series, and node_exporter would refuse both."""
    assert render([]) == ""
    first, second = (
        {(name, tuple(labels.items())) for name, samples in scraped(render([each])).items() for labels, _ in samples}
        for each in (APP, a_survey("shop"))
    )
    assert not first & second


def test_all_is_measured_in_a_moment(surveys: Sequence[Survey]) -> None:
    assert sum(len(family.samples) for family in measure(surveys)) > 100_000


@pytest.fixture
def surveys() -> Sequence[Survey]:
    """A thousand databases of ten sets."""
    sets = tuple(a_set(f"app.t{number}", left=timedelta(hours=number)) for number in range(10))
    return [replace(APP, report=replace(APP.report, target=f"db{number}"), sets=sets) for number in range(1000)]
