"""The alert function under the provider's own runtime client: what it answers, and what its errors are called."""

from __future__ import annotations

import json
import shutil
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from partwarden.aws import alert_function
from partwarden.local.aws import LocalAws, provision
from partwarden.local.cluster import free_port
from partwarden.local.mailbox import Mailbox
from tests.lambda_runtime import LambdaRuntime

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ADMINISTRATOR = {"AWS_ACCESS_KEY_ID": "000000000000", "AWS_SECRET_ACCESS_KEY": "local"}


@dataclass(frozen=True)
class Topic:
    endpoint: str
    arn: str
    mailbox: Mailbox


@pytest.fixture(scope="module")
def topic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Topic]:
    folder = tmp_path_factory.mktemp("aws")
    aws = LocalAws(folder)
    aws.start()
    try:
        with Mailbox(folder / "mails") as mailbox:
            yield Topic(aws.endpoint, provision(aws, mailbox_url=mailbox.url).topic_arn, mailbox)
    finally:
        aws.stop()


@pytest.fixture
def function(tmp_path: Path) -> Path:
    """A folder with the function as it is deployed: one file, index.py."""
    shutil.copy(alert_function.__file__, tmp_path / "index.py")
    return tmp_path


def only_json_line(log: str) -> dict[str, Any]:
    (line,) = [line for line in log.splitlines() if line.startswith("{")]
    parsed: dict[str, Any] = json.loads(line)
    return parsed


def test_alert_arrives_and_its_repeat_does_not(topic: Topic, function: Path) -> None:
    event = {
        "message": "first line\nsecond “line”",
        "sns_topic_arn": topic.arn,
        "notification_id": "runtime-1",
        "attempt": 1,
    }
    with LambdaRuntime(function, {**ADMINISTRATOR, "AWS_ENDPOINT_URL": topic.endpoint}) as runtime:
        first = runtime.invoke(event)
        again = runtime.invoke({**event, "attempt": 2})
    assert (first.error_type, again.error_type) == (None, None)
    assert first.answer["repeat"] is False
    assert again.answer == {**first.answer, "repeat": True}
    mail = topic.mailbox.wait_for(lambda mail: mail["X-Partwarden-Notification-Id"] == "runtime-1", 20)
    assert mail["Subject"] == "partwarden alert: first line"
    assert mail["X-Partwarden-Attempt"] == "1"
    assert mail["Message-ID"] == f"<{first.answer['message_id']}@sns.amazonaws.com>"
    assert mail.get_content().startswith("first line\nsecond “line”\n")
    assert only_json_line(first.log)["request_id"] == first.request_id
    assert only_json_line(again.log)["outcome"] == "repeat"
    assert "second" not in first.log


def test_bad_payload_fails_the_invocation_by_that_name(topic: Topic, function: Path) -> None:
    with LambdaRuntime(function, {**ADMINISTRATOR, "AWS_ENDPOINT_URL": topic.endpoint}) as runtime:
        outcome = runtime.invoke({"message": 7, "attempt": 0})
        assert runtime.invoke({"message": "next", "sns_topic_arn": topic.arn}).error_type is None
    assert outcome.error_type == "BadPayload"
    for key in ("message", "sns_topic_arn", "attempt"):
        assert key in outcome.answer["errorMessage"]
    assert only_json_line(outcome.log)["outcome"] == "BadPayload"


def test_refusal_by_sns_fails_the_invocation_with_its_code(topic: Topic, function: Path) -> None:
    with LambdaRuntime(function, {**ADMINISTRATOR, "AWS_ENDPOINT_URL": topic.endpoint}) as runtime:
        outcome = runtime.invoke({"message": "confidential", "sns_topic_arn": f"{topic.arn}-gone"})
    assert outcome.error_type == "PublishFailed"
    assert "NotFound: Topic does not exist" in outcome.answer["errorMessage"]
    assert only_json_line(outcome.log)["error"] == outcome.answer["errorMessage"]
    assert "confidential" not in outcome.log


def test_sns_that_is_not_there_fails_the_invocation(topic: Topic, function: Path) -> None:
    nobody = {**ADMINISTRATOR, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{free_port()}"}
    with LambdaRuntime(function, nobody) as runtime:
        outcome = runtime.invoke({"message": "x", "sns_topic_arn": topic.arn})
    assert outcome.error_type == "PublishFailed"
    assert "EndpointConnectionError" in outcome.answer["errorMessage"]


def test_sns_that_never_answers_fails_the_invocation_before_its_time_out(topic: Topic, function: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with LambdaRuntime(function, {**ADMINISTRATOR, "AWS_ENDPOINT_URL": endpoint}) as runtime:
            outcome = runtime.invoke({"message": "x", "sns_topic_arn": topic.arn})
    assert outcome.error_type == "PublishFailed"
    assert "ReadTimeoutError" in outcome.answer["errorMessage"]
    assert outcome.seconds < 15
