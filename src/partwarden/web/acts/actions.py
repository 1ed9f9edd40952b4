"""What may be done from a page: each action in words and as a statement, and the doing of those that are one."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC
from enum import StrEnum
from typing import TypeVar

import psycopg
from psycopg import sql

from partwarden import incidents
from partwarden.audit import require_record
from partwarden.database import Connection, connect, quoted
from partwarden.draining.plan import BIG_BYTES, DefaultPartition, Drain, Plan, make_plan
from partwarden.draining.session import open_session, refusals
from partwarden.errors import ActionRefused, PartwardenError
from partwarden.incidents import Incident

Answer = TypeVar("Answer")

_SECONDS = 20
"""How long a database may take for what is one statement, or for looking."""

MOST_LETTERS = 500
"""A longer note is no note."""


class Kind(StrEnum):
    """What can be done. Those about an incident are one statement; those about a set take their time."""

    ACKNOWLEDGE = "acknowledge"
    UNACKNOWLEDGE = "unacknowledge"
    SILENCE = "silence"
    UNSILENCE = "unsilence"
    DRAIN = "drain"
    MAINTAIN = "maintain"

    @property
    def takes_long(self) -> bool:
        """Whether it goes on in the background."""
        return self in (Kind.DRAIN, Kind.MAINTAIN)

    @property
    def takes_note(self) -> bool:
        """Whether somebody may say something about it."""
        return self in (Kind.ACKNOWLEDGE, Kind.SILENCE)


CONSEQUENCES = {
    Kind.ACKNOWLEDGE: "You are at it, and everybody sees that. There are no more reminders of this incident, unless it gets "
    "worse. Its end is still told.",
    Kind.UNACKNOWLEDGE: "Nobody is at it any more. Reminders of this incident resume.",
    Kind.SILENCE: "Nothing is said of this incident until then, neither reminders nor its end, unless it gets worse.",
    Kind.UNSILENCE: "The silence is over. Reminders of this incident resume.",
    Kind.DRAIN: "The rows of the default partition move to partitions of their own, while everybody goes on reading and writing"
    ". It can be cancelled between two steps: no row is lost or twice there, and a second drain goes on from there.",
    Kind.MAINTAIN: "Rows that are in the way are moved as far as the policy allows, pg_partman makes the next partitions, and "
    "retention is applied, which drops or detaches what is older than it says.",
}
"""What happens, for the person who is about to do it."""


@dataclass(frozen=True)
class Asked:
    """What somebody asks for: an action, the database by its name here, and an incident's number or a set's name.

    ``until`` is when a silence ends, as PostgreSQL reads it.
    """

    kind: Kind
    database: str
    object: str
    note: str | None = None
    until: str | None = None

    @property
    def incident(self) -> int:
        """The number of the incident. Raises ActionRefused where it is none."""
        if self.object.isascii() and self.object.isdecimal() and len(self.object) < 19:
            return int(self.object)
        raise ActionRefused(
            f"{self.object} is not the number of an incident", remedy="Go there from the list of incidents."
        )


@dataclass(frozen=True)
class DrainLook:
    """What a drain has before it: the default partition, and the plan, unless it takes long to make one."""

    default: DefaultPartition
    plan: Plan | None


def statement(asked: Asked, actor: str) -> str:
    """What is done, as a person would type it elsewhere; of a silence whose end is still to be said, with dots for it."""
    match asked.kind:
        case Kind.DRAIN:
            return f"partwarden drain {_word(asked.object)} -d {_word(asked.database)}"
        case Kind.MAINTAIN:
            return sql.SQL("call partwarden.maintain({});").format(sql.Literal(asked.object)).as_string(None)
        case _:
            until = asked.until or ("…" if asked.kind is Kind.SILENCE else None)
            arguments = {"p_until": until, "p_note": asked.note, "p_by": actor}
            return incidents.call_of(asked.kind.value, asked.incident, arguments).as_string(None) + ";"


def look_at_incident(dsn: str, number: int) -> Incident:
    """The incident that is spoken of. Raises PartwardenError."""
    return _in(dsn, lambda connection: incidents.read_incident(connection, number))


def look_at_drain(dsn: str, parent: str) -> DrainLook:
    """What a drain of a set has before it; nothing is changed. Raises PartwardenError where it can't be drained."""
    _in(dsn, require_record)
    with open_session(dsn, parent) as session, refusals(session.name):
        session.connection.execute("select set_config('statement_timeout', %s, false)", (f"{_SECONDS}s",))
        session.call("refuse_drain", session.parent)
        default = DefaultPartition.of(session)
        wish = Drain(session.name)
        return DrainLook(default, make_plan(session, wish) if default.heap_bytes <= BIG_BYTES else None)


@dataclass(frozen=True)
class Done:
    """What was done, in words, and what a person would have typed for it."""

    told: str
    statement: str


def act(dsn: str, asked: Asked, actor: str) -> Done:
    """Do what is one statement, which puts itself on record. Raises PartwardenError."""

    def do(connection: Connection) -> Done:
        require_record(connection)
        number = asked.incident
        match asked.kind:
            case Kind.ACKNOWLEDGE:
                incidents.acknowledge(connection, number, note=asked.note, by=actor)
                told = f"Incident {number} is acknowledged by {actor}."
            case Kind.UNACKNOWLEDGE:
                incidents.unacknowledge(connection, number, by=actor)
                told = f"Incident {number} is no longer acknowledged."
            case Kind.SILENCE:
                until = asked.until or ""
                silenced = incidents.silence(connection, number, until, note=asked.note, by=actor).silenced_until
                assert silenced is not None
                told = f"Incident {number} is silenced until {silenced.astimezone(UTC):%Y-%m-%d %H:%M} UTC."
                return Done(told, statement(replace(asked, until=silenced.isoformat(" ", "seconds")), actor))
            case Kind.UNSILENCE:
                incidents.unsilence(connection, number, by=actor)
                told = f"Incident {number} is not silenced any more."
            case _:
                raise ActionRefused(f"{asked.kind} is no single statement", remedy="It goes on in the background.")
        return Done(told, statement(asked, actor))

    return _in(dsn, do)


def rights_missing(failure: PartwardenError, dsn: str) -> PartwardenError:
    """The same error; where it is that this role may not, with what it would need."""
    cause = failure.__cause__
    if not isinstance(cause, psycopg.errors.InsufficientPrivilege):
        return failure
    try:
        with connect(dsn, timeout=_SECONDS) as connection:
            row = connection.execute(
                "select current_user, pg_get_userbyid(nspowner) from pg_namespace where nspname = 'partwarden'"
            ).fetchone()
    except (PartwardenError, psycopg.Error):
        row = None
    if row is None:
        return failure
    role, owner = row
    return ActionRefused(
        f"{failure.problem}: partwarden serve looks as role {role}, which may not act",
        remedy=f"Have it connect as {owner}, which owns partwarden here, or: grant {quoted(owner)} to {quoted(role)};",
    )


def _in(dsn: str, do: Callable[[Connection], Answer]) -> Answer:
    """What ``do`` returns, in one transaction; errors say what the role would need."""
    try:
        with connect(dsn, timeout=_SECONDS) as connection, connection.transaction():
            return do(connection)
    except PartwardenError as failure:
        telling = rights_missing(failure, dsn)
        if telling is failure:
            raise
        raise telling from failure


def _word(text: str) -> str:
    """A word of a command line."""
    return shlex.quote(text)
