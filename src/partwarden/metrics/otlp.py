"""The same metrics by OpenTelemetry, pushed to a collector by OTLP over HTTP.

Where to, how often and with which headers say OpenTelemetry's own variables, which its exporter reads:
https://opentelemetry.io/docs/specs/otel/protocol/exporter/. Names are those of Prometheus, so that one dashboard reads both.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Protocol

from partwarden import __version__
from partwarden.dsn import without_secrets
from partwarden.errors import BadOption, NotInstalled
from partwarden.metrics.measure import ROOMS, measure
from partwarden.metrics.metric import Family, Kind, Per, Sample
from partwarden.metrics.seen import MOST_SETS
from partwarden.metrics.tally import Tally
from partwarden.survey import Survey

if TYPE_CHECKING:
    from opentelemetry.metrics import CallbackOptions, Observation
    from opentelemetry.sdk.metrics import MeterProvider

log = logging.getLogger(__name__)
_logger = logging.getLogger("opentelemetry")

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_SPOKEN = "http/protobuf"
_PATIENCE_MS = 5_000
_HUSH_SECONDS = 3_600
_QUERY = re.compile(r"\?\S+")
"""What may hold a token."""
_MOST_SERIES = 1_000_000
"""Of one metric: it is bounded before, by database; the SDK would put all from the 2,000th on into one."""


class Closeable(Protocol):
    """What goes on until it is closed."""

    def close(self) -> None:
        """End it."""


def is_wanted() -> bool:
    """Whether the environment names a collector."""
    return any(os.environ.get(name) for name in _ENDPOINTS)


def start_export(
    latest: Callable[[], Sequence[Survey]],
    *,
    per: Per = Per.SET,
    most_sets: int = MOST_SETS,
    tally: Tally | None = None,
) -> Closeable:
    """Send the metrics of the ``latest`` surveys once a minute, or as OTEL_METRIC_EXPORT_INTERVAL says, from a thread.

    A collector that does not answer is tried again, and costs nobody else anything. Raises NotInstalled without the extra
    ``otel``, and BadOption where the environment asks for another protocol than http/protobuf.
    """
    protocol = next((os.environ[name] for name in _PROTOCOLS if os.environ.get(name)), _SPOKEN)
    if protocol != _SPOKEN:
        raise BadOption(
            f"metrics can't be exported by the protocol {protocol}, which the environment asks for",
            remedy=f"OTEL_EXPORTER_OTLP_METRICS_PROTOCOL={_SPOKEN}, and the endpoint's port for HTTP, mostly 4318",
        )
    try:
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
        from opentelemetry.metrics import Observation
        from opentelemetry.sdk.metrics import MeterProvider, ObservableCounter, ObservableGauge
        from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
        from opentelemetry.sdk.resources import Resource
    except ImportError as missing:
        raise NotInstalled(
            "metrics can't be exported: OpenTelemetry is not installed", remedy="pip install 'partwarden[otel]'"
        ) from missing
    reader = PeriodicExportingMetricReader(
        OTLPMetricExporter(),
        cardinality_limits={ObservableGauge: _MOST_SERIES, ObservableCounter: _MOST_SERIES},
    )
    resource = Resource({"service.version": __version__}).merge(Resource.create())
    if str(resource.attributes["service.name"]).startswith("unknown_service"):  # the environment gives no name
        resource = resource.merge(Resource({"service.name": "partwarden"}))
    provider = MeterProvider([reader], resource=resource, shutdown_on_exit=False)
    meter = provider.get_meter("partwarden", __version__)
    measured = _Measured(latest, lambda surveys: measure(surveys, per=per, most_sets=most_sets, tally=tally))
    for metric in (metric for room in ROOMS for metric in room.metrics):
        create = meter.create_observable_counter if metric.kind is Kind.COUNTER else meter.create_observable_gauge
        create(metric.name, [measured.observe(metric.name, Observation)], unit=metric.unit, description=metric.help)
    return _Export(provider)


class _Measured:
    """What is measured of the latest surveys, worked out once for all metrics that are asked for one after the other."""

    def __init__(
        self, latest: Callable[[], Sequence[Survey]], families: Callable[[Sequence[Survey]], Iterable[Family]]
    ) -> None:
        self._latest = latest
        self._families = families
        self._surveys: tuple[Survey, ...] | None = None
        self._samples: dict[str, tuple[Sample, ...]] = {}

    def observe(self, name: str, observation: type[Observation]) -> Callable[[CallbackOptions], Iterable[Observation]]:
        """What the SDK calls for the samples of a metric."""
        return lambda _: [observation(value, labels) for labels, value in self._of(name)]

    def _of(self, name: str) -> tuple[Sample, ...]:
        surveys = tuple(self._latest())
        if self._surveys is None or list(map(id, self._surveys)) != list(map(id, surveys)):
            self._surveys = surveys
            self._samples = {family.metric.name: family.samples for family in self._families(surveys)}
        return self._samples.get(name, ())


class _Export:
    """An export under way, and what it says of itself."""

    def __init__(self, provider: MeterProvider) -> None:
        self._provider = provider
        self._words = _Words()
        _logger.addHandler(self._words)
        _logger.propagate = False

    def close(self) -> None:
        """Send what there is once more, and end, within five seconds whatever the collector does."""
        self._provider.shutdown(timeout_millis=_PATIENCE_MS)
        _logger.removeHandler(self._words)
        _logger.propagate = True


class _Words(logging.Handler):
    """What OpenTelemetry says goes to our own log: in one line, each kind of message once an hour, no query of an address."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._said: dict[object, float] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Say one."""
        if record.created < self._said.get(record.msg, 0) + _HUSH_SECONDS:
            return
        self._said[record.msg] = record.created
        said = _QUERY.sub("?…", record.getMessage()).splitlines()[0]
        log.warning("OpenTelemetry: %s", without_secrets(said))
