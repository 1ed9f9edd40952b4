"""Metrics as Prometheus's own library reads them."""

from __future__ import annotations

from collections import defaultdict

from prometheus_client.parser import text_string_to_metric_families


def scraped(text: str) -> dict[str, list[tuple[dict[str, str], float]]]:
    """The samples of each metric, by its name."""
    found = defaultdict(list)
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found[sample.name].append((sample.labels, sample.value))
    return dict(found)


def values(text: str, name: str) -> list[float]:
    """The values of one metric, in order."""
    return [value for _, value in scraped(text).get(name, [])]
