"""A receiver of OpenTelemetry's metrics by OTLP over HTTP, on this machine."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest


class Collector(ThreadingHTTPServer):
    """Keeps what it is sent; ``status`` is what it answers."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Receiver)
        self.status = 200
        self.requests: list[tuple[str, dict[str, str], ExportMetricsServiceRequest]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def samples(self) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
        """The newest value of each series, by the metric's name and then by the labels."""
        _, _, newest = self.requests[-1]
        return {
            metric.name: {
                tuple((each.key, each.value.string_value) for each in point.attributes): point.as_int
                if point.WhichOneof("value") == "as_int"
                else point.as_double
                for point in (metric.sum if metric.WhichOneof("data") == "sum" else metric.gauge).data_points
            }
            for metric in self.metrics(newest)
        }

    @staticmethod
    def metrics(request: ExportMetricsServiceRequest) -> Iterator[Any]:
        for resource in request.resource_metrics:
            for scope in resource.scope_metrics:
                yield from scope.metrics


class _Receiver(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append((self.path, dict(self.headers), ExportMetricsServiceRequest.FromString(body)))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def collecting() -> Iterator[Collector]:
    """A collector that listens as long as the block lasts."""
    with Collector() as made:
        threading.Thread(target=made.serve_forever, args=(0.02,), daemon=True).start()
        yield made
        made.shutdown()
