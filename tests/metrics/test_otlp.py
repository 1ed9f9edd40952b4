"""Metrics by OpenTelemetry: what a collector gets, over a real connection, is what Prometheus would read."""

from __future__ import annotations

import builtins
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from partwarden.errors import BadOption, NotInstalled
from partwarden.metrics import Tally, otlp
from partwarden.metrics.measure import measure
from partwarden.metrics.metric import Kind
from partwarden.survey import Survey
from tests.metrics.collector import Collector, collecting
from tests.metrics.surveys import APP, a_set, a_survey, unreachable
from tests.waiting import wait_until


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    with collecting() as made:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", made.url)
        monkeypatch.setenv("OTEL_METRIC_EXPORT_INTERVAL", "100")
        yield made


def test_a_collector_gets_what_prometheus_would_read(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20s3cret")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=prod")
    tally = Tally()
    tally.note(APP)
    surveys = [APP, unreachable()]
    with closing(otlp.start_export(lambda: surveys, tally=tally)):
        wait_until(lambda: collector.requests, "something is exported")
    path, headers, request = collector.requests[0]
    assert (path, headers["authorization"]) == ("/v1/metrics", "Bearer s3cret")
    about = {each.key: each.value.string_value for each in request.resource_metrics[0].resource.attributes}
    assert about["service.name"] == "partwarden"
    assert about["deployment.environment.name"] == "prod"

    families = measure(surveys, tally=tally)
    assert collector.samples() == {
        family.metric.name: {tuple(labels.items()): value for labels, value in family.samples} for family in families
    }
    told = {metric.name: metric for metric in collector.metrics(request)}
    for family in families:
        metric = told[family.metric.name]
        assert (metric.description, metric.unit) == (family.metric.help, family.metric.unit)
        assert (metric.WhichOneof("data") == "sum") == (family.metric.kind is Kind.COUNTER)
        assert metric.WhichOneof("data") == "gauge" or (
            metric.sum.is_monotonic and metric.sum.aggregation_temporality == 2
        )


def test_the_environment_may_call_it_otherwise(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "partitions-eu")
    with closing(otlp.start_export(lambda: [APP])):
        wait_until(lambda: collector.requests, "something is exported")
    attributes = collector.requests[0][2].resource_metrics[0].resource.attributes
    assert "partitions-eu" in {each.value.string_value for each in attributes if each.key == "service.name"}


def test_what_is_gone_is_told_no_more(collector: Collector) -> None:
    surveys = [a_survey(sets=(a_set("app.a"), a_set("app.b")))]
    with closing(otlp.start_export(lambda: surveys)):
        wait_until(lambda: collector.requests, "something is exported")
        surveys[0] = a_survey(sets=(a_set("app.b"),))
        known = len(collector.requests)
        wait_until(lambda: len(collector.requests) > known + 1, "it is exported again")
    assert [dict(labels)["set"] for labels in collector.samples()["partwarden_set_status"]] == ["app.b"]


def test_more_series_than_the_sdk_would_take_arrive_one_by_one(collector: Collector) -> None:
    surveys = [unreachable(f"db{number}") for number in range(2100)]
    with closing(otlp.start_export(lambda: surveys)):
        wait_until(lambda: collector.requests, "something is exported")
    series = collector.samples()["partwarden_up"]
    assert len(series) == 2100
    assert all("otel.metric.overflow" not in dict(labels) for labels in series)


def test_a_collector_that_fails_is_said_once_and_costs_nothing(
    collector: Collector, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", f"{collector.url}/v1/metrics?token=s3cret")
    collector.status = 400
    with closing(otlp.start_export(lambda: [APP])):
        wait_until(lambda: len(collector.requests) > 3, "it is exported again and again")
        collector.status = 200
        known = len(collector.requests)
        wait_until(lambda: len(collector.requests) > known + 1, "it is exported again")
    said = [record.getMessage() for record in caplog.records if record.name.startswith("partwarden")]
    assert len(said) == 1
    assert said[0].startswith("OpenTelemetry: Failed to export metrics batch code: 400")
    assert "s3cret" not in caplog.text


def test_the_export_ends_soon_though_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    started = time.monotonic()
    otlp.start_export(lambda: [APP]).close()
    assert time.monotonic() - started < 15


@pytest.mark.parametrize("name", ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"])
def test_it_is_wanted_where_the_environment_names_a_collector(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for each in ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"):
        monkeypatch.delenv(each, raising=False)
    assert not otlp.is_wanted()
    monkeypatch.setenv(name, "")
    assert not otlp.is_wanted()
    monkeypatch.setenv(name, "http://127.0.0.1:4318")
    assert otlp.is_wanted()


def test_another_protocol_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    with pytest.raises(BadOption, match="grpc") as refused:
        otlp.start_export(list[Survey])
    assert "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL=http/protobuf" in refused.value.remedy


def test_without_the_extra_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *arguments: Any, **named: Any) -> Any:
        if name.startswith("opentelemetry"):
            raise ImportError(name)
        return real(name, *arguments, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(NotInstalled) as missing:
        otlp.start_export(list[Survey])
    assert missing.value.remedy == "pip install 'partwarden[otel]'"
