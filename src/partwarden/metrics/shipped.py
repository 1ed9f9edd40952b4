"""What others need to read the metrics: alert rules for Prometheus, a dashboard for Grafana. Both are files of the package."""

from __future__ import annotations

from importlib.resources import files


def rules() -> str:
    """The alert rules, as Prometheus reads them."""
    return _file("alerts.yaml")


def dashboard() -> str:
    """The dashboard, as Grafana imports it."""
    return _file("dashboard.json")


def _file(name: str) -> str:
    return (files(__package__) / name).read_text(encoding="utf-8")
