"""Incidents as people deal with them: read, acknowledged, silenced, and each of that taken back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from enum import Enum
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from partwarden.database import Connection, advice_of, explained
from partwarden.errors import IncidentRefused, NotInstalled, UnknownIncident
from partwarden.install import installed_version


class State(Enum):
    """How an incident stands, the most telling word for it."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    SILENCED = "silenced"
    AWAY = "away"  # it comes and goes; its end is announced when it has stayed away for long enough
    RESOLVED = "resolved"


@dataclass(frozen=True)
class Incident:
    """A finding over time. Times know their time zone; ``detail`` is the evidence, with the cause under ``cause``.

    ``told`` is what people were last told of it: ``warning``, ``critical``, ``resolved``, or None for nothing.
    ``silenced`` tells whether ``silenced_until`` is still to come.
    """

    id: int
    check_id: str
    object: str
    severity: str
    summary: str
    detail: dict[str, Any]
    remedy: str | None
    since: datetime
    opened_at: datetime
    last_announced_at: datetime
    told: str | None
    resolved_at: datetime | None
    held_back: bool
    reopened: int
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    silenced: bool
    silenced_until: datetime | None
    silenced_severity: str | None
    note: str | None

    @property
    def state(self) -> State:
        """What it is to people now."""
        if self.resolved_at is not None:
            return State.AWAY if self.held_back else State.RESOLVED
        if self.silenced:
            return State.SILENCED
        return State.OPEN if self.acknowledged_at is None else State.ACKNOWLEDGED


@dataclass(frozen=True)
class Delivery:
    """How a notification fares on one of the agent's channels; ``delivered_at`` is None as long as it waits."""

    channel: str
    attempts: int
    next_attempt_at: datetime
    last_error: str | None
    delivered_at: datetime | None


@dataclass(frozen=True)
class Telling:
    """A notification that told of an incident: as what, and how its delivery went.

    ``event`` is ``opened``, ``worsened``, ``reminder``, ``reopened`` or ``resolved``; ``delivered_at`` is None as long
    as it waits, then for ``next_attempt_at``. ``deliveries`` are those by the agent, a channel each; attempts and errors
    beside them are those of the Lambda function.
    """

    number: int
    id: str
    event: str
    created_at: datetime
    subject: str
    attempts: int
    next_attempt_at: datetime
    last_error: str | None
    delivered_at: datetime | None
    deliveries: tuple[Delivery, ...] = ()


_REFUSALS = (
    psycopg.errors.NoDataFound,
    psycopg.errors.ObjectNotInPrerequisiteState,
    psycopg.errors.InvalidParameterValue,
)
_ROUTINES = {
    "acknowledge": sql.SQL("select partwarden.acknowledge({}"),
    "unacknowledge": sql.SQL("select partwarden.unacknowledge({}"),
    "silence": sql.SQL("select partwarden.silence({}"),
    "unsilence": sql.SQL("select partwarden.silence({}, null"),
}
_NAMED = {
    "p_until": sql.SQL(", p_until => {}"),
    "p_note": sql.SQL(", p_note => {}"),
    "p_by": sql.SQL(", p_by => {}"),
}
_UNTIL = sql.SQL("greatest(silenced_until, partwarden.silent_until(check_id, object))")
_COMPUTED = {
    "silenced": sql.SQL("coalesce({} > clock_timestamp(), false) as silenced").format(_UNTIL),
    "silenced_until": sql.SQL("{} as silenced_until").format(_UNTIL),
}
_INCIDENT = sql.SQL("select {} from partwarden.incident").format(
    sql.SQL(", ").join(_COMPUTED.get(each.name, sql.Identifier(each.name)) for each in fields(Incident))
)


def list_incidents(connection: Connection, *, resolved_too: bool = False, most: int | None = None) -> list[Incident]:
    """The incidents that are not over, the worst first; with ``resolved_too`` also those that are, the newest first.

    Not more than ``most``, where that is said. Raises NotInstalled where there is no partwarden, and IncidentRefused
    when it may not be read.
    """
    query = _INCIDENT + sql.SQL(
        " where %s or resolved_at is null or held_back "
        "order by resolved_at is not null and not held_back, "
        "case when resolved_at is null or held_back then severity end, resolved_at desc, since, id limit %s"
    )
    with explained("could not read the incidents", IncidentRefused):
        _require(connection)
        return connection.cursor(row_factory=class_row(Incident)).execute(query, (resolved_too, most)).fetchall()


def read_incident(connection: Connection, incident: int) -> Incident:
    """One incident. Raises UnknownIncident when there is none with that number, IncidentRefused when it may not be read."""
    with explained(f"could not read incident {incident}", IncidentRefused):
        _require(connection)
        query = _INCIDENT + sql.SQL(" where id = %s::bigint")
        found = connection.cursor(row_factory=class_row(Incident)).execute(query, (incident,)).fetchone()
    if found is None:
        raise UnknownIncident(
            f"could not read incident {incident}: there is none with that number", remedy="partwarden incidents list"
        )
    return found


def tellings(connection: Connection, incident: int) -> list[Telling]:
    """The notifications that told of an incident, in order, as far back as delivered ones are kept."""
    with explained(f"could not read what was told of incident {incident}", IncidentRefused):
        told = (
            connection.cursor(row_factory=class_row(Telling))
            .execute(
                """
                select notification.number, notification.id::text as id, link.event, notification.created_at,
                       notification.subject, notification.attempts, notification.next_attempt_at,
                       notification.last_error, notification.delivered_at
                from partwarden.notification_incident link
                join partwarden.notification on notification.number = link.notification_number
                where link.incident_id = %s::bigint
                order by notification.number
                """,
                (incident,),
            )
            .fetchall()
        )
        carried = connection.execute(
            """
            select notification_number, channel, attempts, next_attempt_at, last_error, delivered_at
            from partwarden.delivery
            where notification_number = any (%s::bigint[]) and %s::bigint = any (incidents)
            order by channel
            """,
            ([each.number for each in told], incident),
        ).fetchall()
    return [
        replace(each, deliveries=tuple(Delivery(*row[1:]) for row in carried if row[0] == each.number)) for each in told
    ]


def acknowledge(connection: Connection, incident: int, *, note: str | None = None, by: str | None = None) -> Incident:
    """Say that somebody is at it: no more reminders, unless it gets worse.

    Without ``note``, the one that is there stays. Raises IncidentRefused when it is unknown or resolved.
    """
    _call(connection, "acknowledge", incident, {"p_note": note, "p_by": by})
    return read_incident(connection, incident)


def unacknowledge(connection: Connection, incident: int, *, by: str | None = None) -> Incident:
    """Take an acknowledgement back: reminders resume. Raises IncidentRefused when it is unknown or resolved."""
    _call(connection, "unacknowledge", incident, {"p_by": by})
    return read_incident(connection, incident)


def silence(
    connection: Connection, incident: int, until: str, *, note: str | None = None, by: str | None = None
) -> Incident:
    """Have nothing said of it until then, unless it gets worse.

    ``until`` is a moment (``tomorrow``, ``2026-12-01T10:00``, in the session's time zone) or a time from now
    (``2 hours``), as PostgreSQL reads them. Raises IncidentRefused when it is neither, or over, and when the incident
    is unknown or resolved.
    """
    moment = _moment(connection, until)
    _call(connection, "silence", incident, {"p_until": moment, "p_note": note, "p_by": by})
    return read_incident(connection, incident)


def unsilence(connection: Connection, incident: int, *, by: str | None = None) -> Incident:
    """End a silence before its time. Raises IncidentRefused when it is unknown, or resolved and not silenced."""
    _call(connection, "unsilence", incident, {"p_by": by})
    return read_incident(connection, incident)


def call_of(attempt: str, incident: int, arguments: Mapping[str, str | None]) -> sql.Composed:
    """The statement that does it, as a person would type it; arguments by name, without those that have no value."""
    return _statement(attempt, sql.Literal(incident), arguments)


def _statement(attempt: str, number: sql.Composable, arguments: Mapping[str, str | None]) -> sql.Composed:
    named = [
        template.format(sql.Literal(arguments[name]))
        for name, template in _NAMED.items()
        if arguments.get(name) is not None
    ]
    return _ROUTINES[attempt].format(number) + sql.SQL("").join(named) + sql.SQL(")")


def _require(connection: Connection) -> None:
    """Raise NotInstalled unless the database has a partwarden that knows of all this."""
    version = installed_version(connection)
    if version is None:
        raise NotInstalled("partwarden is not installed in this database", remedy="partwarden install DSN")
    if connection.execute("select to_regproc('partwarden.acknowledge') is null").fetchone() == (True,):
        raise NotInstalled(f"this database has partwarden {version}, an older one", remedy="partwarden install DSN")


def _moment(connection: Connection, until: str) -> str:
    """The moment that ``until`` means, as text: PostgreSQL knows times that Python does not."""
    for reading in ("%s::timestamptz", "clock_timestamp() + %s::interval"):
        try:
            with connection.transaction():
                row = connection.execute(
                    sql.SQL("select ({0})::text, {0} > clock_timestamp()").format(sql.SQL(reading)), (until, until)
                ).fetchone()
        except psycopg.DataError:
            continue
        assert row is not None
        moment, to_come = row
        if not to_come:
            raise IncidentRefused(
                f"could not silence until {until!r}: that is over ({moment})",
                remedy="to end a silence: partwarden incidents silence DSN ID --undo",
            )
        return str(moment)
    raise IncidentRefused(
        f"could not silence until {until!r}: PostgreSQL reads it neither as a moment nor as a time from now",
        remedy="--until '2 hours', --until tomorrow or --until 2026-12-01T10:00",
    )


def _call(connection: Connection, attempt: str, incident: int, arguments: Mapping[str, str | None]) -> None:
    """Call the routine of an attempt, with those arguments that have a value: the others are as it has them itself."""
    number = sql.SQL("{}::bigint").format(sql.Literal(incident))
    statement = _statement(attempt, number, arguments)
    with explained(f"could not {attempt} incident {incident}", IncidentRefused):
        _require(connection)
        try:
            with connection.transaction():
                connection.execute(statement)
        except _REFUSALS as refusal:  # the routine says itself what was attempted
            raise IncidentRefused(str(refusal.diag.message_primary), remedy=advice_of(refusal)) from refusal
