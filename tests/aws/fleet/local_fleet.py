"""A deployed fleet in ministack: real functions, real queue, real rights; and what of it the emulator can't."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest

from partwarden.aws.account import Account
from partwarden.aws.fleet import deploy as deploying
from partwarden.aws.fleet.member import Order, round_of
from partwarden.aws.fleet.package import Package
from partwarden.aws.fleet.record import Entry, read_entry
from partwarden.aws.fleet.wish import Wish
from partwarden.aws.stacks import Stack
from tests.aws.fleet.home import NAME, Home
from tests.waiting import wait_until

# ministack speaks HTTP, and so nobody may use a queue or a topic whose policy wants TLS. (That the policies bite is a test.)
_TLS = ('aws:SecureTransport: "false"', 'aws:SecureTransport: "never"')

# What of IAM ministack sees otherwise than AWS: this action on no path, and that a batch takes the right to send.
_GAPS = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": ["ssm:GetParametersByPath", "sqs:SendMessageBatch"], "Resource": "*"}],
}


@dataclass(frozen=True)
class LocalFleet:
    """The fleet, and a queue that gets what people are mailed."""

    account: Account
    stack: Stack
    mailbox: str

    def dispatch(self, at: datetime) -> dict[str, Any]:
        """Begin a round, as the schedule does; what the dispatcher answered."""
        answer = self.account.client("lambda").invoke(
            FunctionName=self.stack.output("DispatcherArn"), Payload=json.dumps({"round": round_of(at)})
        )
        read: dict[str, Any] = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, read
        return read

    def send_again(self, orders: list[Order]) -> None:
        """Let these orders be delivered a second time."""
        for order in orders:
            self.account.client("sqs").send_message(QueueUrl=self.stack.output("QueueUrl"), MessageBody=order.to_json())

    def forget_list(self) -> None:
        """Have the dispatcher read the list anew: it starts cold the next time."""
        self.account.client("lambda").update_function_configuration(FunctionName=f"{NAME}-dispatcher", MemorySize=768)

    def wait_until_idle(self, seconds: float) -> None:
        """Wait until no order waits and none is being carried out."""
        wait_until(lambda: self.orders_left() == 0, "all orders are carried out", seconds=seconds)

    def orders_left(self) -> int:
        found = self.account.client("sqs").get_queue_attributes(
            QueueUrl=self.stack.output("QueueUrl"),
            AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
        )
        return sum(map(int, found["Attributes"].values()))

    def given_up(self) -> int:
        found = self.account.client("sqs").get_queue_attributes(
            QueueUrl=self.stack.output("DeadLettersUrl"), AttributeNames=["ApproximateNumberOfMessages"]
        )
        return int(found["Attributes"]["ApproximateNumberOfMessages"])

    def entries(self) -> dict[str, tuple[Entry, int, int]]:
        """Of each member what is known, how often it was claimed, and how many looks at it were ended."""
        pages = self.account.client("dynamodb").get_paginator("scan").paginate(TableName=self.stack.output("TableName"))
        return {
            item["member"]["S"]: (
                read_entry(item),
                int(item["claims"]["N"]),
                int(item.get("looks", {}).get("N", 0)),
            )
            for page in pages
            for item in page["Items"]
        }

    def outcomes(self) -> Counter[str]:
        """How the workers' log says that orders ended, since the beginning."""
        return Counter(str(line["outcome"]) for line in self.log() if line.get("event") == "look")

    def log(self) -> list[dict[str, Any]]:
        """The lines of the workers' log that are JSON."""
        pages = self.account.client("logs").get_paginator("filter_log_events")
        lines = [
            event["message"]
            for page in pages.paginate(logGroupName=f"/aws/lambda/{NAME}-worker", filterPattern="")
            for event in page["events"]
        ]
        return [json.loads(line) for line in lines if line.startswith("{")]

    def take_mails(self) -> list[str]:
        """The subjects of the mails that have arrived since the last time."""
        subjects: list[str] = []
        while True:
            answer = self.account.client("sqs").receive_message(QueueUrl=self.mailbox, MaxNumberOfMessages=10)
            messages = answer.get("Messages", [])
            if not messages:
                return subjects
            for message in messages:
                subjects.append(json.loads(message["Body"])["Subject"])
                self.account.client("sqs").delete_message(QueueUrl=self.mailbox, ReceiptHandle=message["ReceiptHandle"])


@contextmanager
def local_fleet(home: Home, wish: Wish, package: Package, workers: int) -> Iterator[LocalFleet]:
    """A fleet deployed by the product, with what the emulator lacks made up for."""
    with pytest.MonkeyPatch.context() as patch:
        speak_http(patch)
        stack, _ = home.deploy(wish, package)
    account = home.account
    account.client("iam").put_role_policy(
        RoleName=stack.resources["DispatcherRole"].physical_id, PolicyName="gaps", PolicyDocument=json.dumps(_GAPS)
    )
    # It takes the parameter's text for the number that CloudFormation makes of it.
    account.client("lambda").update_event_source_mapping(
        UUID=stack.resources["Orders"].physical_id, ScalingConfig={"MaximumConcurrency": workers}
    )
    mailbox, arn = _make_mailbox(account, stack.output("TopicArn"))
    account.client("sns").subscribe(TopicArn=stack.output("TopicArn"), Protocol="sqs", Endpoint=arn)
    yield LocalFleet(account, stack, mailbox)


def speak_http(patch: pytest.MonkeyPatch) -> None:
    """Let stacks be made whose queues and topics may be used without TLS."""
    body = deploying.body().replace(*_TLS)
    patch.setattr(deploying, "body", lambda: body)


def _make_mailbox(account: Account, topic: str) -> tuple[str, str]:
    sqs = account.client("sqs")
    url = sqs.create_queue(QueueName="mailbox")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    return url, arn
