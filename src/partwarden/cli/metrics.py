"""Commands that print what Prometheus and Grafana need to make something of the metrics."""

from __future__ import annotations

import sys

from cyclopts import App, Group, Parameter

from partwarden.metrics import shipped

app = App(
    name="metrics",
    help="What Prometheus and Grafana need: alert rules, a dashboard. The metrics come from partwarden check --format "
    "prometheus, and from partwarden serve.",
    group_commands=Group("Commands", sort_key=0),
    default_parameter=Parameter(negative=()),
)


@app.command(sort_key=0)
def rules() -> None:
    """Print alert rules for Prometheus, each with the next command in its description."""
    sys.stdout.write(shipped.rules())


@app.command(sort_key=1)
def dashboard() -> None:
    """Print a dashboard for Grafana, to be imported."""
    sys.stdout.write(shipped.dashboard())
