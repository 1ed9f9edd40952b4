"""The dispatcher: an order for each member, whatever the queue refuses at first, and the list read no oftener than asked."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from partwarden.aws.fleet.dispatcher import Dispatcher, DispatchFailed, _round_of
from partwarden.aws.fleet.member import Member, Order, round_of
from partwarden.aws.fleet.roster import Roster

ROUND = "2026-03-01T12:00:00Z"


class Queue:
    """Takes orders; ``refuses`` decides which not, by member and attempt."""

    def __init__(self, refuses: Callable[[str, int], bool] = lambda _member, _attempt: False) -> None:
        self.orders: list[Order] = []
        self.sizes: list[int] = []
        self._refuses = refuses
        self._attempts: dict[str, int] = {}

    def send_message_batch(self, QueueUrl: str, Entries: list[Any]) -> dict[str, Any]:  # noqa: N803
        assert QueueUrl == "the queue"
        self.sizes.append(len(Entries))
        failed = []
        for entry in Entries:
            order = Order.from_json(entry["MessageBody"])
            name = order.member.name
            self._attempts[name] = self._attempts.get(name, 0) + 1
            if self._refuses(name, self._attempts[name]):
                failed.append({"Id": entry["Id"], "SenderFault": False, "Code": "InternalError"})
            else:
                self.orders.append(order)
        return {"Failed": failed} if failed else {}


def dispatcher(queue: Queue, count: int, clock: Callable[[], float] = lambda: 0.0) -> Dispatcher:
    reads: list[int] = []

    def read() -> Roster:
        reads.append(1)
        return Roster(tuple(Member(f"{len(reads)}-{number}", "h") for number in range(count)))

    return Dispatcher(read, cast("Any", queue), "the queue", keep_for=300, clock=clock)


def test_each_member_gets_one_order_ten_in_a_request() -> None:
    queue = Queue()
    dispatcher(queue, 23).dispatch(ROUND)
    assert sorted(order.member.name for order in queue.orders) == sorted(f"1-{number}" for number in range(23))
    assert {order.round for order in queue.orders} == {ROUND}
    assert sorted(queue.sizes) == [3, 10, 10]


def test_order_that_the_queue_refuses_is_sent_again_and_no_other() -> None:
    queue = Queue(lambda member, attempt: member == "1-4" and attempt < 3)
    dispatcher(queue, 10).dispatch(ROUND)
    assert sorted(order.member.name for order in queue.orders) == [f"1-{number}" for number in range(10)]
    assert queue.sizes == [10, 1, 1]


def test_order_that_does_not_get_in_fails_the_round_and_costs_the_others_nothing() -> None:
    queue = Queue(lambda member, _: member == "1-4")
    with pytest.raises(DispatchFailed, match="1 of 25 orders did not get into the queue, 1-4's first"):
        dispatcher(queue, 25).dispatch(ROUND)
    assert len(queue.orders) == 24


def test_list_is_read_again_when_it_is_old() -> None:
    now = [0.0]
    queue = Queue()
    made = dispatcher(queue, 1, lambda: now[0])
    for moment in (0, 299, 300, 301):
        now[0] = moment
        made.dispatch(ROUND)
    assert [order.member.name for order in queue.orders] == ["1-0", "1-0", "2-0", "2-0"]


def test_round_is_the_moment_that_it_was_scheduled_for() -> None:
    assert _round_of({"round": ROUND}) == ROUND
    assert _round_of({"round": "2026-03-01T13:00:00.4+01:00"}) == ROUND
    before = round_of(datetime.now(UTC))
    for event in ({}, {"round": "<aws.scheduler.scheduled-time>"}):
        assert before <= _round_of(event) <= round_of(datetime.now(UTC))


def test_order_says_all_there_is_to_say() -> None:
    member = Member("a", "h", 5433, ("x", "y z"), "arn:aws:sns:us-east-1:123456789012:t", "a problem")
    assert json.loads(Order(ROUND, member).to_json())["member"]["databases"] == ["x", "y z"]
    assert Order.from_json(Order(ROUND, member).to_json()) == Order(ROUND, member)
