"""How a fleet is: its stack, its queues, and what is known of each cluster."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from partwarden.aws import stacks
from partwarden.aws.account import Account, aws_errors
from partwarden.aws.fleet.deploy import read_list, refuse_others
from partwarden.aws.fleet.incident import Incident
from partwarden.aws.fleet.member import began_at
from partwarden.aws.fleet.record import Entry, read_entry
from partwarden.aws.stacks import Stack
from partwarden.errors import AwsFailed

_LATE_ROUNDS = 3


@dataclass(frozen=True)
class Status:
    """``problems`` are a sentence each, with what to do; ``incidents`` are open, by member, the worst first.

    ``not_looked_at`` are members whose last look is too long ago, or was never; ``gone`` are known and no longer listed.
    """

    stack: Stack
    members: int
    strange: tuple[str, ...]
    last_round: datetime | None
    waiting_orders: int
    given_up_orders: int
    entries: tuple[Entry, ...]
    not_looked_at: tuple[str, ...]
    waiting_mails: int
    incidents: tuple[tuple[str, Incident], ...]
    gone: tuple[str, ...]
    pending_addresses: tuple[str, ...]

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong with the fleet itself."""
        return tuple(self._problems())

    def _problems(self) -> Iterator[str]:
        if not self.stack.is_healthy:
            yield f"stack {self.stack.name} is {self.stack.status}: deploy again"
        if self.members == 0:
            yield "no cluster is listed: nobody is looked at"
        for name in self.strange[:5]:
            yield f"{name} belongs to no cluster"
        if self.not_looked_at:
            shown = ", ".join(self.not_looked_at[:5]) + (" …" if len(self.not_looked_at) > 5 else "")
            yield f"{len(self.not_looked_at)} of {self.members} clusters were not looked at in time: {shown}"
        if self.given_up_orders:
            yield (
                f"{self.given_up_orders} orders were given up: see the log of {self.stack.name}-worker, "
                "then purge the dead-letter queue"
            )
        if self.waiting_mails:
            yield f"{self.waiting_mails} mails could not be published: see the log of {self.stack.name}-worker"
        for address in self.pending_addresses:
            yield f"{address} has not confirmed, and gets no mail"


def look(account: Account, name: str, now: datetime) -> Status:
    """How it is. Raises AwsFailed where there is no fleet of that name."""
    stack = stacks.find(account, name)
    if stack is None or stack.status == "REVIEW_IN_PROGRESS":
        raise AwsFailed(f"there is no fleet {name} in {account}", remedy="partwarden aws fleet deploy makes one")
    refuse_others(stack)
    roster = read_list(account, stack.parameters.get("ParameterPath", ""), stack.parameters.get("TagValue", ""))
    listed = {member.name for member in roster.members}
    entries = tuple(_entries(account, stack.output("TableName")))
    period = timedelta(minutes=int(stack.parameters.get("EveryMinutes", "5")))
    in_time = {
        entry.member
        for entry in entries
        if entry.looked_at is not None and now - entry.looked_at <= _LATE_ROUNDS * period
    }
    known = [entry for entry in entries if entry.member in listed]
    incidents = [
        (entry.member, incident) for entry in known for incident in entry.incidents if incident.resolved_at is None
    ]
    return Status(
        stack=stack,
        members=len(listed),
        strange=roster.strange,
        last_round=max((began_at(entry.round) for entry in entries), default=None),
        waiting_orders=_depth(account, stack.output("QueueUrl")),
        given_up_orders=_depth(account, stack.output("DeadLettersUrl")),
        entries=entries,
        not_looked_at=tuple(sorted(listed - in_time)),
        waiting_mails=sum(len(entry.letters) for entry in known),
        incidents=tuple(sorted(incidents, key=lambda each: (each[1].severity, each[1].since, each[0]))),
        gone=tuple(sorted({entry.member for entry in entries} - listed)),
        pending_addresses=tuple(_pending(account, stack.output("TopicArn"))),
    )


def _entries(account: Account, table: str) -> Iterator[Entry]:
    with aws_errors(f"could not read table {table}"):
        for page in account.client("dynamodb").get_paginator("scan").paginate(TableName=table):
            for item in page["Items"]:
                yield read_entry(item)


def _depth(account: Account, url: str) -> int:
    with aws_errors(f"could not look at queue {url}"):
        answer = account.client("sqs").get_queue_attributes(
            QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"]
        )
    return int(answer["Attributes"]["ApproximateNumberOfMessages"])


def _pending(account: Account, topic: str) -> Iterator[str]:
    with aws_errors(f"could not list the subscriptions of {topic}"):
        pages = account.client("sns").get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
        for page in pages:
            for each in page["Subscriptions"]:
                if not each["SubscriptionArn"].startswith("arn:"):
                    yield each["Endpoint"]
