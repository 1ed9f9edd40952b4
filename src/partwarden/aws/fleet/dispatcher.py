"""The dispatcher function: at each round, puts one order for each member of the fleet into the queue."""

from __future__ import annotations

import functools
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from partwarden.aws.fleet.member import Order, round_of
from partwarden.aws.fleet.roster import Roster, from_parameters, from_tags

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
_BATCH = 10

_AT_ONCE = 16
_ATTEMPTS = 3
_SHOWN = 20


class DispatchFailed(Exception):
    """Some orders did not get into the queue; all others did, and it does no harm to send them again."""


@dataclass
class Dispatcher:
    """Who reads the list, and no oftener than every ``keep_for`` seconds, and sends the orders."""

    read: Callable[[], Roster]
    sqs: SQSClient
    queue_url: str
    keep_for: float
    clock: Callable[[], float] = time.monotonic
    _kept: tuple[float, Roster] | None = field(default=None, init=False)

    def dispatch(self, round_: str) -> Roster:
        """Send an order for each member; the list that it went by. Raises DispatchFailed."""
        roster = self._roster()
        orders = [Order(round_, member) for member in roster.members]
        batches = [orders[start : start + _BATCH] for start in range(0, len(orders), _BATCH)]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            left = [name for names in pool.map(self._send, batches) for name in names]
        if left:
            raise DispatchFailed(f"{len(left)} of {len(orders)} orders did not get into the queue, {left[0]}'s first")
        return roster

    def _roster(self) -> Roster:
        if self._kept is None or self._kept[0] + self.keep_for <= self.clock():
            self._kept = (self.clock(), self.read())
        return self._kept[1]

    def _send(self, orders: Sequence[Order]) -> list[str]:
        """Send up to ten; the names of those that the queue would not take."""
        left = {str(index): order for index, order in enumerate(orders)}
        for _ in range(_ATTEMPTS):
            entries: list[SendMessageBatchRequestEntryTypeDef] = [
                {"Id": index, "MessageBody": order.to_json()} for index, order in left.items()
            ]
            answer = self.sqs.send_message_batch(QueueUrl=self.queue_url, Entries=entries)
            left = {failed["Id"]: left[failed["Id"]] for failed in answer.get("Failed", [])}
            if not left:
                break
        return [order.member.name for order in left.values()]


def handler(event: dict[str, Any], context: Any) -> dict[str, object]:  # noqa: ARG001 - the runtime passes it
    """Send the orders of one round. ``event`` is ``{"round": …}``, the moment that the round was scheduled for.

    Invoked again for the same moment, it sends orders that the workers know for repeats. An event that names none, a
    person's say, is a round of its own.
    """
    round_ = _round_of(event)
    log: dict[str, object] = {"event": "dispatch", "round": round_, "outcome": "crashed"}
    try:
        roster = _dispatcher().dispatch(round_)
        log |= {"outcome": "dispatched", "members": len(roster.members)}
        if roster.strange:
            log |= {"strange": roster.strange[:_SHOWN]}
    except Exception as failure:
        log |= {"error": f"{type(failure).__name__}: {failure}"}
        raise
    finally:
        sys.stdout.write(json.dumps(log) + "\n")
        sys.stdout.flush()
    return {"round": round_, "members": len(roster.members)}


def members_of_environment() -> Roster:
    """The list that the stack has the function read."""
    config = Config(retries={"mode": "adaptive", "total_max_attempts": 10})
    if tag := os.environ.get("TAG_VALUE"):
        return from_tags(boto3.client("rds", config=config), tag)
    return from_parameters(boto3.client("ssm", config=config), os.environ["PARAMETER_PATH"])


def _round_of(event: dict[str, Any]) -> str:
    try:
        moment = datetime.fromisoformat(str(event.get("round", "")))
    except ValueError:
        moment = datetime.now(UTC)
    return round_of(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


@functools.cache
def _dispatcher() -> Dispatcher:
    config = Config(max_pool_connections=_AT_ONCE, retries={"mode": "standard", "total_max_attempts": 5})
    return Dispatcher(
        members_of_environment,
        boto3.client("sqs", config=config),
        os.environ["QUEUE_URL"],
        keep_for=60 * float(os.environ["LIST_MINUTES"]),
    )
