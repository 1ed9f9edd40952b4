"""What a fleet costs a month, by AWS's list prices: formulas, and the tables of docs/fleet.md that come of them.

``python -m bench.fleet_cost`` prints them. All clusters are well; a mail costs next to nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

MINUTES_A_MONTH = 730 * 60
SIZES = (10, 1_000, 100_000)
PERIODS = (1, 5)


@dataclass(frozen=True)
class Prices:
    """List prices in US dollars, us-east-1, without the free tier."""

    lambda_request: float = 0.20e-6
    lambda_gigabyte_second: float = 0.0000133334  # arm64
    sqs_request: float = 0.40e-6
    dynamodb_write: float = 0.625e-6
    scheduler_invocation: float = 1.00e-6
    log_gigabyte: float = 0.50
    alarm: float = 0.10
    key: float = 1.00
    endpoint_hour: float = 0.01  # and for each Availability Zone


@dataclass(frozen=True)
class Assumptions:
    """How much of each a round takes."""

    batch: int = 10  # clusters an invocation
    batch_seconds: float = 1.5  # at 512 MB, a database and pg_cron's in each cluster
    memory_gigabytes: float = 0.5
    writes_a_look: float = 2  # claimed, done
    log_bytes_a_look: int = 300
    log_bytes_an_invocation: int = 400
    page_seconds: float = 0.05  # ten parameters, four of a cluster
    list_minutes: int = 5
    send_seconds: float = 0.02  # ten orders, sixteen requests at once
    idle_receives_a_month: int = 5 * 3 * MINUTES_A_MONTH  # five pollers, each waits 20 seconds
    alarms: int = 7
    zones: int = 2


@dataclass(frozen=True)
class Bill:
    """Dollars a month."""

    workers: float
    dispatcher: float
    queue: float
    table: float
    logs: float
    standing: float

    @property
    def total(self) -> float:
        """All of it."""
        return self.workers + self.dispatcher + self.queue + self.table + self.logs + self.standing


def bill(clusters: int, minutes: int, prices: Prices = Prices(), given: Assumptions = Assumptions()) -> Bill:
    """What so many clusters cost, looked at every so many minutes."""
    rounds = MINUTES_A_MONTH / minutes
    invocations = rounds * math.ceil(clusters / given.batch)
    lists = MINUTES_A_MONTH / max(minutes, given.list_minutes)
    pages = math.ceil(clusters * 4 / 10)
    sending = math.ceil(clusters / 10 / 16) * given.send_seconds
    gigabyte_second = given.memory_gigabytes * prices.lambda_gigabyte_second
    written = rounds * clusters * given.log_bytes_a_look + invocations * given.log_bytes_an_invocation
    return Bill(
        workers=invocations * (prices.lambda_request + given.batch_seconds * gigabyte_second),
        dispatcher=rounds * (prices.lambda_request + prices.scheduler_invocation)
        + (lists * pages * given.page_seconds + rounds * sending) * gigabyte_second,
        # Sent, received and deleted, ten at a time; and asked for in vain.
        queue=(rounds * clusters * 3 / 10 + given.idle_receives_a_month) * prices.sqs_request,
        table=rounds * clusters * given.writes_a_look * prices.dynamodb_write,
        logs=written / 1e9 * prices.log_gigabyte,
        standing=prices.key + given.alarms * prices.alarm + given.zones * 730 * prices.endpoint_hour,
    )


def workers_at_once(clusters: int, minutes: int, given: Assumptions = Assumptions()) -> int:
    """How many workers it takes to look at all clusters in half a period."""
    return max(math.ceil(clusters / given.batch * given.batch_seconds / (minutes * 30)), 2)


def tables() -> Iterator[str]:
    """The tables of docs/fleet.md, in Markdown."""
    yield "| clusters | every | workers | dispatcher | queue | table | logs | standing | a month | for 1,000 clusters |"
    yield "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    for clusters in SIZES:
        for minutes in PERIODS:
            each = bill(clusters, minutes)
            parts = (each.workers, each.dispatcher, each.queue, each.table, each.logs, each.standing)
            shown = " | ".join(_dollars(part) for part in parts)
            yield (
                f"| {clusters:,} | {minutes} min | {shown} | **{_dollars(each.total)}** "
                f"| {_dollars(each.total / clusters * 1000)} |"
            )
    yield ""
    yield "| clusters | every | looks a second | invocations at once, to be through in half a period | pages of the list |"
    yield "| ---: | ---: | ---: | ---: | ---: |"
    for clusters in SIZES:
        for minutes in PERIODS:
            yield (
                f"| {clusters:,} | {minutes} min | {clusters / minutes / 60:,.1f} | {workers_at_once(clusters, minutes):,} "
                f"| {math.ceil(clusters * 4 / 10):,} |"
            )


def _dollars(amount: float) -> str:
    return f"${amount:,.2f}" if amount < 100 else f"${amount:,.0f}"


if __name__ == "__main__":
    print("\n".join(tables()))
