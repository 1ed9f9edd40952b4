"""Who a topic tells, and who of them has confirmed."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from partwarden.aws.account import Account, aws_errors

_POLL_SECONDS = 5.0


@dataclass(frozen=True)
class Subscription:
    """One subscriber. SNS forgets one that has not confirmed within two days."""

    protocol: str
    endpoint: str
    is_confirmed: bool


def subscriptions(account: Account, topic: str) -> list[Subscription]:
    """All of the topic's."""
    with aws_errors(f"could not list the subscriptions of {topic}"):
        pages = account.client("sns").get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
        found = [each for page in pages for each in page["Subscriptions"]]
    return [
        Subscription(each["Protocol"], each["Endpoint"], each["SubscriptionArn"].startswith("arn:")) for each in found
    ]


def invite(account: Account, topic: str, address: str) -> None:
    """Have SNS ask an e-mail address to confirm."""
    with aws_errors(f"could not subscribe {address} to {topic}"):
        account.client("sns").subscribe(TopicArn=topic, Protocol="email", Endpoint=address)


def pending(account: Account, topic: str) -> list[str]:
    """The addresses that SNS waits for."""
    return [each.endpoint for each in subscriptions(account, topic) if not each.is_confirmed]


def wait_for_all(account: Account, topic: str, seconds: float, tell: Callable[[list[str]], None]) -> list[str]:
    """Wait until everybody has confirmed; those that have not by then. ``tell`` gets them whenever they change."""
    deadline = time.monotonic() + seconds
    told: list[str] | None = None
    while left := pending(account, topic):
        if left != told:
            tell(left)
            told = left
        if time.monotonic() > deadline:
            break
        time.sleep(min(_POLL_SECONDS, max(deadline - time.monotonic(), 0.05)))
    return left
