from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from partwarden.aws import alert_function
from partwarden.aws.alert_function import (
    MESSAGE_BYTES,
    BadPayload,
    PublishFailed,
    fit_message,
    handler,
    read_payload,
    subject_line,
)

TOPIC = "arn:aws:sns:eu-central-1:123456789012:alerts"
RECIPE = {"message": "default partition has rows", "sns_topic_arn": TOPIC}


class Sns:
    """Stands for SNS's client: keeps what is published, or raises what it is told to."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.published: list[dict[str, Any]] = []
        self.regions: list[str] = []
        self.failure = failure

    def publish(self, **call: Any) -> dict[str, str]:
        if self.failure is not None:
            raise self.failure
        self.published.append(call)
        return {"MessageId": f"message-{len(self.published)}"}


@pytest.fixture
def sns(monkeypatch: pytest.MonkeyPatch) -> Sns:
    stand_in = Sns()

    def client(region: str) -> Sns:
        stand_in.regions.append(region)
        return stand_in

    monkeypatch.setattr(alert_function, "_sns", client)
    alert_function._published.clear()
    return stand_in


def invoke(event: object) -> dict[str, object]:
    return handler(event, SimpleNamespace(aws_request_id="request-1"))


def logged(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("[partwarden] CRITICAL prod/shop", "[partwarden] CRITICAL prod/shop"),
        ("  spaces \t around  ", "spaces around"),
        ("two\nlines\r\nand\x00\x1b[31mcontrol\x7fcharacters", "two lines and [31mcontrol characters"),
        ("J\u00fcrgen\u2019s \u201c\u00fcn\u00ef\u201d \u2013 t\u00e0ble\u2026", 'Jurgen\'s "uni" - table...'),
        ("Straße → 表", "Strasse -> ?"),
        ("no\u00a0break and\u2028separator", "no break and separator"),
        ("half \ud800 surrogate", "half surrogate"),
        ("x" * 99, "x" * 99),
        ("x" * 100, "x" * 96 + "..."),
        ("x" * 95 + " " + "x" * 20, "x" * 95 + "..."),
    ],
)
def test_subject_is_one_line_of_printable_ascii(given: str, expected: str) -> None:
    subject = subject_line(given, "unused")
    assert subject == expected
    assert 0 < len(subject) < 100
    assert subject.isascii()
    assert subject.isprintable()
    assert not subject.startswith(" ")


@pytest.mark.parametrize("absent", [None, "", "  \n ", "\x00"])
def test_missing_subject_is_made_from_the_first_line(absent: str | None) -> None:
    assert subject_line(absent, "\nJob 7 failed\nand more") == "partwarden alert: Job 7 failed"
    assert subject_line(absent, "\n \n") == "partwarden alert"
    assert len(subject_line(absent, "x" * 500)) == 99


@pytest.mark.parametrize("size", [1, MESSAGE_BYTES - 1, MESSAGE_BYTES])
def test_message_that_fits_is_not_touched(size: int) -> None:
    assert fit_message("x" * size) == ("x" * size, 0)


@pytest.mark.parametrize("character", ["x", "ü", "表", "🔥"])
@pytest.mark.parametrize("shift", [0, 1, 2, 3])
def test_long_message_is_cut_between_characters_and_says_by_how_much(character: str, shift: int) -> None:
    message = "." * shift + character * (300 * 1024 // len(character.encode()))
    fitted, cut_bytes = fit_message(message)
    kept, note = fitted.split("\n\n[partwarden: ")
    assert message.startswith(kept)
    assert cut_bytes == len(message.encode()) - len(kept.encode())
    assert note == f"{cut_bytes} more bytes were cut, SNS takes 256 KiB at most]"
    assert MESSAGE_BYTES - 200 < len(fitted.encode()) <= MESSAGE_BYTES


def test_limit_leaves_room_for_the_largest_attributes() -> None:
    largest = len("notification_idStringattemptNumber") + 128 + len(str(2**31))
    assert MESSAGE_BYTES + largest <= 262_144


def test_message_keeps_quotes_lines_and_letters_but_no_character_that_xml_refuses() -> None:
    assert fit_message('"ünï"\t\r\n🔥 表') == ('"ünï"\t\r\n🔥 表', 0)
    assert fit_message("a\x00b\x1bc\ud800d\uffffe") == ("a\ufffdb\ufffdc\ufffdd\ufffde", 0)


@pytest.mark.parametrize(
    ("event", "named"),
    [
        (None, ["JSON object"]),
        ([], ["JSON object"]),
        ("text", ["JSON object"]),
        ({}, ["message", "sns_topic_arn"]),
        ({**RECIPE, "message": ""}, ["message"]),
        ({**RECIPE, "message": 7}, ["message"]),
        ({**RECIPE, "sns_topic_arn": "alerts"}, ["sns_topic_arn"]),
        ({**RECIPE, "sns_topic_arn": TOPIC + ".fifo"}, ["sns_topic_arn"]),
        ({**RECIPE, "sns_topic_arn": TOPIC + "\n"}, ["sns_topic_arn"]),
        ({**RECIPE, "sns_topic_arn": "arn:aws:sqs:eu-central-1:123456789012:alerts"}, ["sns_topic_arn"]),
        ({**RECIPE, "subject": 7}, ["subject"]),
        ({**RECIPE, "notification_id": ""}, ["notification_id"]),
        ({**RECIPE, "notification_id": "a b"}, ["notification_id"]),
        ({**RECIPE, "notification_id": "x" * 129}, ["notification_id"]),
        ({**RECIPE, "notification_id": 7}, ["notification_id"]),
        ({**RECIPE, "attempt": 0}, ["attempt"]),
        ({**RECIPE, "attempt": True}, ["attempt"]),
        ({**RECIPE, "attempt": "1"}, ["attempt"]),
        ({**RECIPE, "attempt": 1.5}, ["attempt"]),
        ({**RECIPE, "attempt": 2**31}, ["attempt"]),
        ({"message": [], "subject": {}, "attempt": -1}, ["message", "sns_topic_arn", "subject", "attempt"]),
    ],
)
def test_bad_payload_is_refused_with_every_wrong_key_and_nothing_is_published(
    event: object, named: list[str], sns: Sns, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(BadPayload) as refusal:
        invoke(event)
    assert [part for part in str(refusal.value).split("; ") if any(name in part for name in named)]
    assert len(str(refusal.value).split("; ")) == (1 if named == ["JSON object"] else len(named))
    for name in named:
        assert name in str(refusal.value)
    assert sns.published == []
    (line,) = logged(capsys)
    assert (line["outcome"], line["error"]) == ("BadPayload", str(refusal.value))


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_topic_in_any_partition_is_accepted(partition: str) -> None:
    topic = TOPIC.replace("arn:aws:", f"arn:{partition}:")
    assert read_payload({**RECIPE, "sns_topic_arn": topic}).topic_arn == topic


def test_the_recipes_two_keys_are_enough(sns: Sns, capsys: pytest.CaptureFixture[str]) -> None:
    answer = invoke(RECIPE)
    assert answer == {"message_id": "message-1", "notification_id": None, "repeat": False, "cut": False}
    assert sns.regions == ["eu-central-1"]
    assert sns.published == [
        {
            "TopicArn": TOPIC,
            "Subject": "partwarden alert: default partition has rows",
            "Message": "default partition has rows",
            "MessageAttributes": {},
        }
    ]
    (line,) = logged(capsys)
    assert line == {
        "event": "alert",
        "request_id": "request-1",
        "outcome": "published",
        "notification_id": None,
        "attempt": None,
        "topic": TOPIC,
        "message_id": "message-1",
        "bytes": 26,
        "cut": False,
        "repeat": False,
        "further_keys": 0,
        "incidents": None,
        "error": None,
    }


def test_null_is_as_good_as_absent(sns: Sns) -> None:
    invoke({**RECIPE, "subject": None, "notification_id": None, "attempt": None})
    assert sns.published[0]["MessageAttributes"] == {}


def test_notification_travels_as_attributes_and_further_keys_are_only_counted(
    sns: Sns, capsys: pytest.CaptureFixture[str]
) -> None:
    invoke({**RECIPE, "notification_id": "n-1", "attempt": 3, "incidents": [{}, {}], "more": "secret"})
    assert sns.published[0]["MessageAttributes"] == {
        "notification_id": {"DataType": "String", "StringValue": "n-1"},
        "attempt": {"DataType": "Number", "StringValue": "3"},
    }
    output = capsys.readouterr().out
    assert "secret" not in output
    assert RECIPE["message"] not in output
    assert (json.loads(output)["further_keys"], json.loads(output)["incidents"]) == (2, 2)


def test_repeat_is_answered_with_the_first_message_id(sns: Sns, capsys: pytest.CaptureFixture[str]) -> None:
    event = {**RECIPE, "notification_id": "n-1"}
    first, again = invoke({**event, "attempt": 1}), invoke({**event, "attempt": 2})
    assert again == {**first, "repeat": True}
    assert len(sns.published) == 1
    assert [line["outcome"] for line in logged(capsys)] == ["published", "repeat"]


def test_same_notification_for_another_topic_is_no_repeat(sns: Sns) -> None:
    invoke({**RECIPE, "notification_id": "n-1"})
    assert invoke({**RECIPE, "notification_id": "n-1", "sns_topic_arn": TOPIC + "2"})["repeat"] is False
    assert len(sns.published) == 2


def test_alerts_without_a_notification_id_are_never_repeats(sns: Sns) -> None:
    assert [invoke(RECIPE)["repeat"] for _ in range(2)] == [False, False]


def test_memory_of_what_was_published_is_bounded(sns: Sns) -> None:
    for number in range(1001):
        invoke({**RECIPE, "notification_id": f"n-{number}"})
    assert len(alert_function._published) == 1000
    assert invoke({**RECIPE, "notification_id": "n-1000"})["repeat"] is True
    assert invoke({**RECIPE, "notification_id": "n-0"})["repeat"] is False


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (ClientError({"Error": {"Code": "Throttled", "Message": "slow down"}}, "Publish"), "Throttled: slow down"),
        (ConnectTimeoutError(endpoint_url="http://127.0.0.1:9"), "ConnectTimeoutError: Connect timeout on endpoint"),
    ],
)
def test_failure_is_raised_and_logged_and_the_next_attempt_publishes(
    failure: Exception, told: str, sns: Sns, capsys: pytest.CaptureFixture[str]
) -> None:
    sns.failure = failure
    with pytest.raises(PublishFailed, match=told) as raised:
        invoke({**RECIPE, "notification_id": "n-1"})
    (line,) = logged(capsys)
    assert (line["outcome"], line["error"]) == ("PublishFailed", str(raised.value))
    assert TOPIC in str(raised.value)
    sns.failure = None
    assert invoke({**RECIPE, "notification_id": "n-1"})["repeat"] is False


def test_client_gives_up_well_before_the_functions_time_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "none")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "none")
    client = alert_function._sns("eu-central-1")
    config = client.meta.config
    assert client.meta.region_name == "eu-central-1"
    attempts = config.retries["total_max_attempts"]  # type: ignore[attr-defined]
    assert attempts * (config.connect_timeout + config.read_timeout) <= 15  # type: ignore[attr-defined]
    assert alert_function._sns("eu-central-1") is client
    alert_function._sns.cache_clear()
    client.close()


HEARTBEAT = {"cluster": "prod-eu", "database": 'we"ird\nünï', "at": "2026-11-23T15:17:01.019632+00:00"}


def test_a_heartbeat_is_a_line_in_the_log_and_publishes_nothing(sns: Sns, capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke({"heartbeat": HEARTBEAT}) == {"heartbeat": "noted"}
    assert logged(capsys) == [
        {"event": "heartbeat", "request_id": "request-1", "outcome": "noted", **HEARTBEAT, "error": None}
    ]
    assert sns.published == []


@pytest.mark.parametrize(
    "wrong",
    [None, "x", {}, [], {**HEARTBEAT, "database": ""}, {**HEARTBEAT, "at": 5}, {**HEARTBEAT, "cluster": "x" * 513}],
)
def test_a_heartbeat_of_nobody_fails_and_does_not_count(
    wrong: object, sns: Sns, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(BadPayload, match="heartbeat"):
        invoke({"heartbeat": wrong})
    (line,) = logged(capsys)
    assert (line["event"], line["outcome"]) == ("heartbeat", "BadPayload")
    assert sns.published == []


def test_an_alert_cannot_pass_for_a_heartbeat(sns: Sns, capsys: pytest.CaptureFixture[str]) -> None:
    fake = '{"event": "heartbeat", "outcome": "noted"}'
    invoke({"message": fake, "sns_topic_arn": TOPIC, "subject": f"x\n{fake}", "event": "heartbeat", "outcome": "noted"})
    (line,) = logged(capsys)
    assert (line["event"], line["outcome"]) == ("alert", "published")
