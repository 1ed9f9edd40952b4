"""Incidents of a cluster over time, by the rules of partwarden.observe(): which look tells people of what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Protocol


class Event(Enum):
    """What people are told of an incident."""

    OPENED = "opened"
    WORSENED = "worsened"
    REMINDER = "reminder"
    REOPENED = "reopened"
    RESOLVED = "resolved"


@dataclass(frozen=True)
class Pace:
    """How often people are told, as partwarden.setting has it where it is installed."""

    remind_after: timedelta = timedelta(hours=24)
    flap_window: timedelta = timedelta(minutes=15)


@dataclass(frozen=True)
class Incident:
    """A finding over time, found again by database, check and object. Times know their time zone.

    ``told`` is what people were last told of it: ``warning``, ``critical``, ``resolved``. ``seen_from`` is the database whose
    look has found it, where that is another than the one that it is filed under.
    """

    database: str
    check: str
    object: str
    severity: str
    summary: str
    detail: Mapping[str, Any]
    remedy: str | None
    since: datetime
    opened_at: datetime
    last_announced_at: datetime
    told: str
    resolved_at: datetime | None = None
    held_back: bool = False
    reopened: int = 0
    seen_from: str | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes it the same one."""
        return (self.database, self.check, self.object)


@dataclass(frozen=True)
class Change:
    """An incident as it is from now on, and what people are to be told of it."""

    incident: Incident
    event: Event


class Evidence(Protocol):
    """What one look at a cluster has shown."""

    @property
    def found(self) -> Iterable[Found]:
        """What is wrong now."""

    def shows_absence(self, incident: Incident) -> bool:
        """Whether this look would have found the incident, so that it is gone when it did not."""


@dataclass(frozen=True)
class Found:
    """A finding, with the database that it is filed under."""

    database: str
    check: str
    object: str
    severity: str
    summary: str
    detail: Mapping[str, Any]
    remedy: str | None
    since: datetime | None
    seen_from: str | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes it the same one in the next look."""
        return (self.database, self.check, self.object)


def next_incidents(
    known: Iterable[Incident], evidence: Evidence, at: datetime, pace: Pace
) -> tuple[list[Incident], list[Change]]:
    """The incidents after a look at ``at``, and what of it is news.

    Those that are over are kept as long as they may still come back as the same one.
    """
    incidents = {incident.key: incident for incident in known}
    changes: list[Change] = []
    found = {each.key: each for each in sorted(evidence.found, key=lambda each: each.severity, reverse=True)}

    def note(incident: Incident, event: Event | None) -> None:
        if event is not None:
            told = "resolved" if event is Event.RESOLVED else incident.severity
            incident = replace(incident, told=told, last_announced_at=at)
            changes.append(Change(incident, event))
        incidents[incident.key] = incident

    for incident in list(incidents.values()):
        if incident.key not in found and evidence.shows_absence(incident):
            note(*_absent(incident, at, pace))
    for each in found.values():
        earlier = incidents.get(each.key)
        if earlier is None or _is_forgotten(earlier, at, pace):
            note(_opened(each, at), Event.OPENED)
        else:
            note(*_found_again(earlier, each, at, pace))
    kept = [each for each in incidents.values() if not _is_forgotten(each, at, pace)]
    return sorted(kept, key=lambda each: each.key), changes


def _absent(incident: Incident, at: datetime, pace: Pace) -> tuple[Incident, Event | None]:
    """It is gone. The first time, that is told at once; what comes and goes, when it has stayed away for a while."""
    if incident.resolved_at is None:
        holds_back = incident.reopened > 0 and pace.flap_window > timedelta()
        gone = replace(incident, resolved_at=at, held_back=holds_back)
        return gone, None if holds_back else Event.RESOLVED
    if incident.held_back and incident.resolved_at + pace.flap_window <= at:
        return replace(incident, held_back=False), Event.RESOLVED
    return incident, None


def _opened(found: Found, at: datetime) -> Incident:
    return Incident(
        database=found.database,
        check=found.check,
        object=found.object,
        severity=found.severity,
        summary=found.summary,
        detail=found.detail,
        remedy=found.remedy,
        since=min(found.since or at, at),
        opened_at=at,
        last_announced_at=at,
        told=found.severity,
        seen_from=found.seen_from,
    )


def _found_again(incident: Incident, found: Found, at: datetime, pace: Pace) -> tuple[Incident, Event | None]:
    event: Event | None = None
    if found.severity == "critical" and incident.told == "warning":
        event = Event.WORSENED
    elif incident.told == "resolved":
        event = Event.REOPENED
    elif incident.last_announced_at + pace.remind_after <= at:
        event = Event.REMINDER
    return (
        replace(
            incident,
            severity=found.severity,
            summary=found.summary,
            detail=found.detail,
            remedy=found.remedy,
            resolved_at=None,
            held_back=False,
            reopened=incident.reopened + (incident.resolved_at is not None),
            seen_from=found.seen_from,
        ),
        event,
    )


def _is_forgotten(incident: Incident, at: datetime, pace: Pace) -> bool:
    return incident.resolved_at is not None and not incident.held_back and incident.resolved_at + pace.flap_window <= at
