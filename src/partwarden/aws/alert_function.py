"""The Lambda function that takes an alert from the database to SNS, and notes that the database is alive.

It stands alone, on boto3 and nothing else: ``template.yaml`` has this file inline, as the module ``index``
(``scripts/inline-functions.py`` puts it there).
"""

from __future__ import annotations

import functools
import json
import re
import sys
import unicodedata
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sns.type_defs import MessageAttributeValueTypeDef

# https://docs.aws.amazon.com/sns/latest/api/API_Publish.html: "less than 100 characters"; older text: ASCII only
SUBJECT_CHARACTERS = 99
DEFAULT_SUBJECT = "partwarden alert"

# The same page: body and attributes, names and types included, share 262,144 bytes.
MESSAGE_BYTES = 262_144 - 1024
_ROOM_FOR_NOTE = 128

# Two attempts, each at most connect + read, end well before the function's own time-out of 20 s.
_CONNECT_SECONDS = 2
_READ_SECONDS = 5
_ATTEMPTS = 2

_REMEMBERED = 1000

_LOGGED = (
    "event", "request_id", "outcome", "notification_id", "attempt", "topic", "message_id",
    "bytes", "cut", "repeat", "further_keys", "incidents", "error",
)  # fmt: skip

# A log line with this event and this outcome is what the template's metric filter counts.
HEARTBEAT = "heartbeat"
_NOTED = "noted"
_HEARTBEAT_LOGGED = ("event", "request_id", "outcome", "cluster", "database", "at", "error")
_HEARTBEAT_CHARACTERS = 512

_TOPIC_ARN = re.compile(r"arn:aws[a-z-]*:sns:([a-z0-9-]+):[0-9]{12}:[A-Za-z0-9_-]{1,256}")
_NOTIFICATION_ID = re.compile(r"[!-~]{1,128}")
_NO_XML_CHARACTER = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_PLAIN_PUNCTUATION = str.maketrans(
    {
        "\N{HYPHEN}": "-",
        "\N{EN DASH}": "-",
        "\N{EM DASH}": "-",
        "\N{RIGHTWARDS ARROW}": "->",
        "\N{LEFT SINGLE QUOTATION MARK}": "'",
        "\N{RIGHT SINGLE QUOTATION MARK}": "'",
        "\N{LEFT DOUBLE QUOTATION MARK}": '"',
        "\N{RIGHT DOUBLE QUOTATION MARK}": '"',
        "\N{LATIN SMALL LETTER SHARP S}": "ss",
    }
)

# (topic, notification id): SNS's message id of what this warm instance has published, the oldest first
_published: OrderedDict[tuple[str, str], str] = OrderedDict()


class BadPayload(Exception):  # the name is what the caller reads as errorType
    """The payload can't be published as it is; the text names each wrong key. Nothing was published."""


class PublishFailed(Exception):
    """SNS refused the message or did not answer; the text has its error code and message."""


@dataclass(frozen=True)
class Alert:
    """The payload, checked. What is optional there is None here when it is absent or null."""

    message: str
    topic_arn: str
    subject: str | None
    notification_id: str | None
    attempt: int | None


def handler(event: object, context: Any) -> dict[str, object]:
    """Publish one alert, and answer with SNS's message id; write one JSON line to the log, without the message.

    With ``heartbeat`` instead of ``message``, publish nothing: the line in the log is all there is to it.

    ``event`` has ``message`` and ``sns_topic_arn``, and may have ``subject``, ``notification_id`` and
    ``attempt``; further keys are ignored. A notification that this instance has published before is not
    published again: the answer is the first one's message id, with ``repeat`` true.

    Raises BadPayload or PublishFailed, so that the invocation fails where the alert was not handed over.
    """
    is_heartbeat = isinstance(event, dict) and HEARTBEAT in event
    log: dict[str, object] = dict.fromkeys(_HEARTBEAT_LOGGED if is_heartbeat else _LOGGED)
    log |= {
        "event": HEARTBEAT if is_heartbeat else "alert",
        "request_id": getattr(context, "aws_request_id", None),
        "outcome": "crashed",
    }
    try:
        return _note_heartbeat(event, log) if is_heartbeat else _deliver(event, log)
    except (BadPayload, PublishFailed) as error:
        log |= {"outcome": type(error).__name__, "error": str(error)}
        raise
    finally:
        sys.stdout.write(json.dumps(log) + "\n")
        sys.stdout.flush()


def read_payload(event: object) -> Alert:
    """Check the payload. Raises BadPayload with a part for every key that is wrong, never with a value."""
    if not isinstance(event, dict):
        raise BadPayload("the payload must be a JSON object with the keys message and sns_topic_arn")
    wrong = []
    message, topic_arn, subject, notification_id, attempt = (
        event.get(key) for key in ("message", "sns_topic_arn", "subject", "notification_id", "attempt")
    )
    if not isinstance(message, str) or not message:
        wrong.append("message must be a text and not empty")
    if not isinstance(topic_arn, str) or not _TOPIC_ARN.fullmatch(topic_arn):
        wrong.append("sns_topic_arn must be the ARN of a standard SNS topic")
    if subject is not None and not isinstance(subject, str):
        wrong.append("subject must be a text")
    if notification_id is not None and not (
        isinstance(notification_id, str) and _NOTIFICATION_ID.fullmatch(notification_id)
    ):
        wrong.append("notification_id must be a text of 1 to 128 printable ASCII characters without spaces")
    if attempt is not None and (not isinstance(attempt, int) or isinstance(attempt, bool) or not 1 <= attempt < 2**31):
        wrong.append("attempt must be a whole number, 1 or more")
    if wrong:
        raise BadPayload("; ".join(wrong))
    return Alert(str(message), str(topic_arn), subject, notification_id, attempt)


def read_heartbeat(event: object) -> dict[str, str]:
    """Check the payload of a heartbeat: who sent it, and when. Raises BadPayload as ``read_payload`` does."""
    sender = event.get(HEARTBEAT) if isinstance(event, dict) else None
    if not isinstance(sender, dict):
        raise BadPayload("heartbeat must be a JSON object with the keys cluster, database and at")
    wrong = [
        f"{key} of heartbeat must be a text of 1 to {_HEARTBEAT_CHARACTERS} characters"
        for key in ("cluster", "database", "at")
        if not (isinstance(sender.get(key), str) and 0 < len(sender[key]) <= _HEARTBEAT_CHARACTERS)
    ]
    if wrong:
        raise BadPayload("; ".join(wrong))
    return {key: sender[key] for key in ("cluster", "database", "at")}


def subject_line(subject: str | None, message: str) -> str:
    """A subject that SNS accepts: printable ASCII on one line, no space at either end, less than 100 characters.

    Without a subject, or when nothing of it is left, it is made from the message's first line.
    """
    line = _in_ascii(subject or "")
    if not line:
        first_line = _in_ascii(message.strip().partition("\n")[0])
        line = f"{DEFAULT_SUBJECT}: {first_line}" if first_line else DEFAULT_SUBJECT
    if len(line) > SUBJECT_CHARACTERS:
        line = line[: SUBJECT_CHARACTERS - 3].rstrip() + "..."
    return line


def fit_message(message: str) -> tuple[str, int]:
    """The message as SNS takes it, and how many bytes of UTF-8 had to be cut; a note at its end says so too.

    Characters that XML can't carry (control characters, half surrogates) become U+FFFD: better than losing
    the alert to them.
    """
    message = _NO_XML_CHARACTER.sub("\N{REPLACEMENT CHARACTER}", message)
    encoded = message.encode()
    if len(encoded) <= MESSAGE_BYTES:
        return message, 0
    # The bytes are valid UTF-8, so what is ignored is a character that the cut went through.
    kept = encoded[: MESSAGE_BYTES - _ROOM_FOR_NOTE].decode(errors="ignore")
    cut_bytes = len(encoded) - len(kept.encode())
    return f"{kept}\n\n[partwarden: {cut_bytes} more bytes were cut, SNS takes 256 KiB at most]", cut_bytes


def _deliver(event: object, log: dict[str, object]) -> dict[str, object]:
    alert = read_payload(event)
    log |= {"notification_id": alert.notification_id, "attempt": alert.attempt, "topic": alert.topic_arn}
    log |= _count_further_keys(event)
    message, cut_bytes = fit_message(alert.message)
    log |= {"bytes": len(message.encode()), "cut": cut_bytes > 0}
    earlier = _earlier_message_id(alert)
    message_id = earlier or _publish(alert, message)
    repeat = earlier is not None
    log |= {"message_id": message_id, "repeat": repeat, "outcome": "repeat" if repeat else "published"}
    return {
        "message_id": message_id,
        "notification_id": alert.notification_id,
        "repeat": repeat,
        "cut": cut_bytes > 0,
    }


def _note_heartbeat(event: object, log: dict[str, object]) -> dict[str, object]:
    log |= read_heartbeat(event)
    log |= {"outcome": _NOTED}
    return {HEARTBEAT: _NOTED}


def _in_ascii(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.translate(_PLAIN_PUNCTUATION))
    printable = "".join(
        " " if unicodedata.category(character).startswith(("C", "Z")) else character
        for character in decomposed
        if not unicodedata.combining(character)
    )
    return " ".join(printable.encode("ascii", "replace").decode().split())


def _count_further_keys(event: object) -> dict[str, object]:
    if not isinstance(event, dict):
        return {}
    known = {"message", "sns_topic_arn", "subject", "notification_id", "attempt"}
    incidents = event.get("incidents")
    return {
        "further_keys": len(event.keys() - known),
        "incidents": len(incidents) if isinstance(incidents, list) else None,
    }


def _earlier_message_id(alert: Alert) -> str | None:
    if alert.notification_id is None:
        return None
    return _published.get((alert.topic_arn, alert.notification_id))


def _publish(alert: Alert, message: str) -> str:
    attributes: dict[str, MessageAttributeValueTypeDef] = {}
    if alert.notification_id is not None:
        attributes["notification_id"] = {"DataType": "String", "StringValue": alert.notification_id}
    if alert.attempt is not None:
        attributes["attempt"] = {"DataType": "Number", "StringValue": str(alert.attempt)}
    try:
        answer = _sns(alert.topic_arn.split(":")[3]).publish(
            TopicArn=alert.topic_arn,
            Subject=subject_line(alert.subject, message),
            Message=message,
            MessageAttributes=attributes,
        )
    except ClientError as error:
        code, reason = (error.response.get("Error", {}).get(key, "?") for key in ("Code", "Message"))
        raise PublishFailed(f"SNS refused to publish to {alert.topic_arn}: {code}: {reason}") from error
    except BotoCoreError as error:
        raise PublishFailed(
            f"SNS could not be asked to publish to {alert.topic_arn}: {type(error).__name__}: {error}"
        ) from error
    message_id = answer["MessageId"]
    if alert.notification_id is not None:
        _published[alert.topic_arn, alert.notification_id] = message_id
        if len(_published) > _REMEMBERED:
            _published.popitem(last=False)
    return message_id


@functools.cache
def _sns(region: str) -> SNSClient:
    """One client a warm instance and region, for the topic's region."""
    return boto3.client(
        "sns",
        region_name=region,
        config=Config(
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_READ_SECONDS,
            retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
        ),
    )
