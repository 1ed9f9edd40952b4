"""The worker function: takes orders from the queue, looks at each cluster, keeps incidents, and tells people."""

from __future__ import annotations

import functools
import json
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
from botocore.config import Config

from partwarden.aws.fleet.incident import Pace, next_incidents
from partwarden.aws.fleet.login import Login
from partwarden.aws.fleet.look import Look, look_at
from partwarden.aws.fleet.member import BadMessage, Order, began_at
from partwarden.aws.fleet.post import MOST_WAITING, Publish, deliver, letters_of, publish_to_sns
from partwarden.aws.fleet.record import Lost, Record, Records, Refusal, Summary
from partwarden.health import Question

# The claim of a look outlives the function that made it: who comes after it finds nobody at work.
_SLACK = timedelta(seconds=5)


@dataclass(frozen=True)
class Settings:
    """What the stack tells the function, in its environment."""

    table: str
    topic_arn: str
    user: str
    period: timedelta
    seconds_a_database: float
    pace: Pace

    @classmethod
    def of_environment(cls) -> Settings:
        """Read it. Raises KeyError for what is not there."""
        return cls(
            table=os.environ["TABLE"],
            topic_arn=os.environ["TOPIC_ARN"],
            user=os.environ["DATABASE_USER"],
            period=timedelta(minutes=int(os.environ["EVERY_MINUTES"])),
            seconds_a_database=float(os.environ["SECONDS_A_DATABASE"]),
            pace=Pace(
                remind_after=timedelta(hours=int(os.environ["REMIND_AFTER_HOURS"])),
                flap_window=timedelta(minutes=int(os.environ["FLAP_WINDOW_MINUTES"])),
            ),
        )


@dataclass(frozen=True)
class Worker:
    """How an order is carried out: where incidents are kept, how a database is entered, how people are told."""

    settings: Settings
    records: Records
    login: Login
    publish: Publish
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def carry_out(self, order: Order, seconds_left: Callable[[], float]) -> dict[str, object]:
        """Look at a cluster once in a round, and tell people what has changed; what there is to log of it.

        Whoever comes late, second, or while somebody else is at it does nothing. Raises what AWS raises, and Lost.
        """
        at = self.now()
        if began_at(order.round) + 2 * self.settings.period < at:
            return {"outcome": "late"}
        until = at + timedelta(seconds=seconds_left()) + _SLACK
        record = self.records.claim(order.member.name, order.round, at, until)
        if isinstance(record, Refusal):
            return {"outcome": record.value}
        topics = list(dict.fromkeys(filter(None, (order.member.topic_arn, self.settings.topic_arn))))
        if len(record.letters) >= MOST_WAITING:
            waiting = deliver(record.letters, topics, self.publish)
            if waiting:
                self.records.finish(record, waiting)
                return {"outcome": "undelivered", "waiting": len(waiting), "error": waiting[0].error}
            record = replace(record, letters=())
        return self._look(order, record, topics, seconds_left)

    def _look(
        self, order: Order, record: Record, topics: list[str], seconds_left: Callable[[], float]
    ) -> dict[str, object]:
        began = time.monotonic()
        question = Question(timeout=self.settings.seconds_a_database)
        look = look_at(order.member, self.login, question, seconds_left=seconds_left)
        at = self.now()
        incidents, changes = next_incidents(record.incidents, look, at, self.settings.pace)
        letters = [*record.letters, *letters_of(order.member.name, changes, at, self.settings.pace)]
        record = replace(record, incidents=tuple(incidents), letters=tuple(letters))
        milliseconds = round((time.monotonic() - began) * 1000)
        error = _error_of(look)
        still_open = sum(incident.resolved_at is None for incident in incidents)
        self.records.save(record, Summary(at, look.status.word, still_open, milliseconds, error))
        waiting = deliver(letters, topics, self.publish) if letters else []
        if letters:
            self.records.finish(record, waiting)
        return {
            "outcome": "undelivered" if waiting else "looked",
            "databases": len(look.reports),
            "status": look.status.word,
            "milliseconds": milliseconds,
            "open": still_open,
            "told": len(letters) - len(waiting),
            "waiting": len(waiting),
            "error": waiting[0].error if waiting else error,
        }


def handler(event: dict[str, Any], context: Any) -> dict[str, object]:
    """Carry out a batch of orders, all at once; the answer names those that are to be delivered again.

    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting
    """
    worker = _worker()
    ends = time.monotonic() + context.get_remaining_time_in_millis() / 1000

    def carry_out(record: dict[str, Any]) -> bool:
        return _carried_out(worker, record, lambda: ends - time.monotonic())

    records = event["Records"]
    with ThreadPoolExecutor(max(len(records), 1)) as pool:
        done = list(pool.map(carry_out, records))
    return {
        "batchItemFailures": [
            {"itemIdentifier": record["messageId"]}
            for record, is_done in zip(records, done, strict=True)
            if not is_done
        ]
    }


def _carried_out(worker: Worker, record: dict[str, Any], seconds_left: Callable[[], float]) -> bool:
    """Carry out one order, and write one line to the log; False when it is to be tried again."""
    log: dict[str, object] = {"event": "look", "message": record["messageId"]}
    try:
        order = Order.from_json(record["body"])
        log |= {"member": order.member.name, "round": order.round}
        log |= worker.carry_out(order, seconds_left)
    except BadMessage as wrong:
        log |= {"outcome": "bad message", "error": str(wrong)}
    except Lost:
        log |= {"outcome": "lost"}  # whoever has it now, looks
        return True
    except Exception as failure:  # noqa: BLE001 - one cluster never stops the others; the queue tries it again
        log |= {"outcome": "crashed", "error": f"{type(failure).__name__}: {failure}"}
    finally:
        sys.stdout.write(json.dumps(_with_metrics(log)) + "\n")
        sys.stdout.flush()
    return log["outcome"] not in ("bad message", "crashed")


def _with_metrics(log: dict[str, object]) -> dict[str, object]:
    """The line, with a metric in it that CloudWatch takes from the log.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
    """
    namespace = os.environ.get("METRICS")
    if namespace is None or log["outcome"] != "undelivered":
        return log
    metrics = {
        "Namespace": namespace,
        "Dimensions": [["Fleet"]],
        "Metrics": [{"Name": "Undelivered", "Unit": "Count"}],
    }
    return {
        **log,
        "_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [metrics]},
        "Fleet": os.environ["FLEET"],
        "Undelivered": 1,
    }


def _error_of(look: Look) -> str | None:
    return next((report.error for report in look.reports.values() if report.error is not None), None)


@functools.cache
def _worker() -> Worker:
    settings = Settings.of_environment()
    client = boto3.client(
        "dynamodb",
        config=Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 4}),
    )
    return Worker(settings, Records(client, settings.table), Login(settings.user), publish_to_sns)
