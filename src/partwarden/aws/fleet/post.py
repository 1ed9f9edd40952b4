"""Gets the fleet's mails out: oldest first, to the cluster's own topic, or else to the fleet's."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import groupby

from partwarden.aws import alert_function
from partwarden.aws.fleet import mail
from partwarden.aws.fleet.incident import Change, Pace
from partwarden.aws.fleet.record import Letter

MOST_WAITING = 20
"""With so many letters that did not get out, a cluster is not looked at: what is found would not be told."""

Publish = Callable[[str, Letter], None]
"""Publishes a letter to the topic of that ARN. Raises PublishFailed or BadPayload."""


def letters_of(member: str, changes: Sequence[Change], at: datetime, pace: Pace) -> list[Letter]:
    """One letter for each database that something has changed in."""
    ordered = sorted(changes, key=lambda change: change.incident.database)
    return [
        Letter(
            id=str(uuid.uuid4()),
            subject=mail.subject_of(member, database, listed),
            message=mail.message_of(member, database, listed, at, pace),
        )
        for database, group in groupby(ordered, key=lambda change: change.incident.database)
        for listed in [list(group)]
    ]


def deliver(letters: Sequence[Letter], topics: Sequence[str], publish: Publish) -> list[Letter]:
    """Publish each letter, in order, to the first of ``topics`` that takes it; those that still wait.

    The first that nobody takes stops the rest, so that they arrive in the order of what happened.
    """
    waiting = list(letters)
    while waiting:
        letter = replace(waiting[0], attempts=waiting[0].attempts + 1)
        errors: list[str] = []
        for topic in topics:
            told = "".join(f"This was to go to another topic: {error}\n\n" for error in errors)
            try:
                publish(topic, replace(letter, message=told + letter.message))
                break
            except (alert_function.PublishFailed, alert_function.BadPayload) as failure:
                errors.append(str(failure))
        else:
            return [replace(letter, error="; ".join(errors)), *waiting[1:]]
        waiting.pop(0)
    return []


def publish_to_sns(topic_arn: str, letter: Letter) -> None:
    """Publish a letter as the database's alerts are: same limits, same log line, same attributes."""
    alert_function.handler(
        {
            "message": f"{letter.message}\n\n--\nnotification {letter.id}, attempt {letter.attempts}",
            "sns_topic_arn": topic_arn,
            "subject": letter.subject,
            "notification_id": letter.id,
            "attempt": letter.attempts,
        },
        None,
    )
