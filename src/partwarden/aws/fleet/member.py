"""A member of the fleet: a cluster, how it is reached, and who is told of it; and one look at it as a message."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

ROUND_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


class BadMessage(Exception):
    """A message in the queue is none of ours; the text says what is wrong with it."""


@dataclass(frozen=True)
class Member:
    """A cluster or an instance.

    ``databases`` are those that are looked into; empty for all that the user may connect to. ``topic_arn`` is where its
    mails go, None for the fleet's own. ``problem`` is what is wrong with what the list says of it, so that it can't be
    looked at.
    """

    name: str
    host: str
    port: int = 5432
    databases: tuple[str, ...] = ()
    topic_arn: str | None = None
    problem: str | None = None


@dataclass(frozen=True)
class Order:
    """What one message of the queue asks for: look at this member, in this round.

    A round is the moment that it was scheduled for, in UTC to the second: later rounds compare greater as text too.
    """

    round: str
    member: Member

    def to_json(self) -> str:
        """The body of the message."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, body: str) -> Order:
        """Read the body of a message. Raises BadMessage."""
        try:
            read = json.loads(body)
            member = read["member"]
            order = cls(
                round=str(read["round"]),
                member=Member(
                    name=str(member["name"]),
                    host=str(member["host"]),
                    port=int(member["port"]),
                    databases=tuple(str(name) for name in member["databases"]),
                    topic_arn=member["topic_arn"],
                    problem=member["problem"],
                ),
            )
            began_at(order.round)
        except (ValueError, KeyError, TypeError) as wrong:
            raise BadMessage(f"this is no order to look at a cluster: {type(wrong).__name__}: {wrong}") from None
        return order


def round_of(moment: datetime) -> str:
    """The name of the round that was scheduled for that moment."""
    return moment.astimezone(UTC).strftime(ROUND_FORMAT)


def began_at(name: str) -> datetime:
    """When the round of that name was scheduled for. Raises ValueError for what is none."""
    return datetime.strptime(name, ROUND_FORMAT).replace(tzinfo=UTC)
