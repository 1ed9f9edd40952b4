"""The numbers of partition maintenance, for Prometheus, Grafana and OpenTelemetry.

What is measured is defined once, in the modules ``of_…``: name, help, labels, and how a survey gives the value. Whatever
writes metrics reads these definitions.
"""

from __future__ import annotations

from partwarden.metrics.exposition import CONTENT_TYPE, render
from partwarden.metrics.metric import Per
from partwarden.metrics.seen import MOST_SETS
from partwarden.metrics.tally import Tally

__all__ = ["CONTENT_TYPE", "MOST_SETS", "Per", "Tally", "render"]
