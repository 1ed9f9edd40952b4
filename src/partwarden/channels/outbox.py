"""A database's outbox, as an agent works on it: what is changed there is changed by partwarden's own routines."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from partwarden.channels.message import Message, Told
from partwarden.channels.routing import routed
from partwarden.config import Channel
from partwarden.database import Connection

_AT_ONCE = 50


@dataclass(frozen=True)
class AgentJob:
    """What an agent calls when it is due; ``last_started_at`` is when it was, or since when the schedule is known."""

    kind: str
    schedule: str
    last_started_at: datetime


@dataclass(frozen=True)
class State:
    """What there is to do. ``due`` are channels that have something to send, ``next_at`` is when more will be due."""

    now: datetime
    delivers: bool
    has_new: bool
    due: tuple[str, ...]
    next_at: datetime | None
    jobs: tuple[AgentJob, ...]


@dataclass(frozen=True)
class Delivery:
    """One message for one channel, claimed; ``attempt`` is the claim's mark."""

    number: int
    channel: str
    attempt: int
    message: Message


@dataclass(frozen=True)
class _Claimed:
    number: int
    channel: str
    attempt: int
    id: Any
    created_at: datetime
    cluster: str | None
    database: str
    subject: str
    message: str
    incidents: list[dict[str, Any]]
    is_whole: bool
    overtaken: list[int]


def knows_agents(connection: Connection) -> bool:
    """Whether the database has a partwarden that an agent can work with."""
    row = connection.execute("select to_regproc('partwarden.claim_deliveries') is not null").fetchone()
    return row == (True,)


def look(connection: Connection, channels: Sequence[str]) -> State:
    """Ask what there is to do with these channels: the one question that is asked again and again."""
    row = connection.execute(
        "select now, delivers, has_new, due, next_at, jobs from partwarden.agent_state(%s)", (list(channels),)
    ).fetchone()
    assert row is not None
    now, delivers, has_new, due, next_at, jobs = row
    return State(
        now,
        bool(delivers),
        bool(has_new),
        tuple(due),
        next_at,
        tuple(
            AgentJob(each["kind"], each["schedule"], datetime.fromisoformat(each["last_started_at"])) for each in jobs
        ),
    )


def route(connection: Connection, database: str, channels: Sequence[Channel]) -> Mapping[int, Sequence[str]]:
    """Choose channels for new notifications, up to fifty at a time; which were chosen, by the notification's number."""
    chosen: dict[int, Sequence[str]] = {}
    heard: defaultdict[int, set[str]] = defaultdict(set)
    with connection.transaction():
        rows = connection.execute("select * from partwarden.take_unrouted(%s)", (_AT_ONCE,)).fetchall()
        for number, incidents, told_before in rows:
            told = [Told.read(each) for each in incidents]
            for incident, names in told_before.items():
                heard[int(incident)].update(names)
            of_each = routed(channels, database, told, heard)
            for name, ids in of_each.items():  # the next ones have been taken already, and do not know of it
                for each in ids:
                    heard[each].add(name)
            connection.execute("select partwarden.route_notification(%s, %s)", (number, Jsonb(of_each)))
            chosen[number] = tuple(of_each)
        if not rows:
            connection.execute("select partwarden.settle_notifications()")
    return chosen


def claim(connection: Connection, channels: Sequence[str]) -> list[Delivery]:
    """Take what is due for these channels, at most one for each."""
    cursor = connection.cursor(row_factory=class_row(_Claimed))
    cursor.execute("select * from partwarden.claim_deliveries(%s)", (list(channels),))
    return [
        Delivery(
            each.number,
            each.channel,
            each.attempt,
            Message(
                id=str(each.id),
                attempt=each.attempt,
                cluster=each.cluster or "",
                database=each.database,
                subject=each.subject,
                text=each.message,
                incidents=tuple(map(Told.read, each.incidents)),
                overtaken=frozenset(each.overtaken),
            ),
        )
        for each in cursor.fetchall()
    ]


def renew(connection: Connection, delivery: Delivery) -> None:
    """Say that it is still being sent."""
    connection.execute("select partwarden.renew_delivery(%s, %s, %s)", _mark(delivery))


def release(connection: Connection, delivery: Delivery) -> None:
    """Give it back: nothing has been sent."""
    connection.execute("select partwarden.release_delivery(%s, %s, %s)", _mark(delivery))


def finish(connection: Connection, delivery: Delivery, error: str | None, *, lasts: bool, pause: float) -> None:
    """Note how the attempt went; ``pause`` is in seconds."""
    connection.execute(
        "select partwarden.finish_delivery(%s, %s, %s, %s, %s, make_interval(secs => %s))",
        (*_mark(delivery), error, lasts, pause),
    )


def retry_refused(connection: Connection, channels: Sequence[str]) -> int:
    """Have what these channels refused be tried at once; how many there are."""
    row = connection.execute("select partwarden.retry_deliveries(%s)", (list(channels),)).fetchone()
    return int(row[0]) if row else 0


def orphans(connection: Connection, channels: Sequence[str]) -> dict[str, int]:
    """Channels that something waits for and that are not among these, each with how much."""
    return dict(
        connection.execute(
            "select channel, count(*) from partwarden.delivery where delivered_at is null and channel <> all (%s) group by 1",
            (list(channels),),
        ).fetchall()
    )


def waiting(connection: Connection) -> int:
    """How many messages have still to reach a channel; 0 where no agent is to deliver them."""
    row = connection.execute(
        """
        select (select count(*) from partwarden.delivery where delivered_at is null)
             + (select count(*) from partwarden.notification where delivered_at is null and routed_at is null)
        from partwarden.setting where delivered_by in ('agent', 'both')
        """
    ).fetchone()
    return int(row[0]) if row else 0


def patience(connection: Connection) -> float:
    """For how many seconds a channel is waited for."""
    row = connection.execute("select extract(epoch from invoke_timeout)::float8 from partwarden.setting").fetchone()
    return float(row[0]) if row else 25.0


def _mark(delivery: Delivery) -> tuple[int, str, int]:
    return delivery.number, delivery.channel, delivery.attempt
