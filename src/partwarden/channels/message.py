"""What is told: a notification, or the part of it that a channel is to have."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

_LONGEST_KEY = 255
"""PagerDuty's limit of a dedup_key; Opsgenie's of an alias is 512.

https://developer.pagerduty.com/docs/send-alert-event
"""


@dataclass(frozen=True)
class Told:
    """One incident, as a notification tells of it. ``event`` is opened, worsened, reopened, reminder or resolved."""

    id: int
    event: str
    check: str
    severity: str
    object: str
    summary: str
    facts: Mapping[str, Any] = field(repr=False)

    @classmethod
    def read(cls, facts: Mapping[str, Any]) -> Told:
        """The incident of a notification's payload."""
        return cls(
            id=int(facts["id"]),
            event=str(facts["event"]),
            check=str(facts["check"]),
            severity=str(facts["severity"]),
            object=str(facts["object"]),
            summary=str(facts["summary"]),
            facts=facts,
        )

    @property
    def is_over(self) -> bool:
        """Whether this tells of its end."""
        return self.event == "resolved"


@dataclass(frozen=True)
class Message:
    """What a channel is told at once. ``id`` is the notification's, the same at every attempt.

    ``overtaken`` are incidents of which the channel has heard newer things already.
    """

    id: str
    attempt: int
    cluster: str
    database: str
    subject: str
    text: str
    incidents: tuple[Told, ...]
    overtaken: frozenset[int] = frozenset()
    is_test: bool = False

    @property
    def severity(self) -> str:
        """The worst of what is not over; ``over`` where all of it is."""
        open_ones = {each.severity for each in self.incidents if not each.is_over}
        if not self.incidents:
            return "warning"
        return "critical" if "critical" in open_ones else "warning" if open_ones else "over"

    @property
    def body(self) -> str:
        """The text with what tells a repeat from a second message."""
        return f"{self.text}\n\n--\nnotification {self.id}, attempt {self.attempt}"

    @property
    def payload(self) -> dict[str, Any]:
        """As the Lambda function gets it, for programs."""
        return {
            "cluster": self.cluster,
            "database": self.database,
            "incident_count": len(self.incidents),
            "incidents": [dict(each.facts) for each in self.incidents],
            "subject": self.subject,
            "message": self.body,
            "notification_id": self.id,
            "attempt": self.attempt,
            **({"test": True} if self.is_test else {}),
        }

    def key_of(self, incident: Told) -> str:
        """What an incident is called by whoever keeps it for us: the same from its beginning to its end."""
        key = f"{self.cluster}/{self.database}/{incident.check}/{incident.object}/{incident.id}"
        key = " ".join(key.split())
        if len(key) <= _LONGEST_KEY:
            return key
        digest = hashlib.sha256(key.encode(errors="replace")).hexdigest()[:32]
        return f"{key[: _LONGEST_KEY - len(digest) - 1]}/{digest}"

    @property
    def news(self) -> Sequence[Told]:
        """The incidents that the channel has not heard newer things of."""
        return [each for each in self.incidents if each.id not in self.overtaken]


def one_line(text: str, longest: int) -> str:
    """A text for a place that has one line: no control characters, and no more than ``longest`` characters."""
    plain = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    return plain if len(plain) <= longest else plain[: longest - 1] + "…"
