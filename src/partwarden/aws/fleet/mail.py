"""Writes the mail of what changed in one look, word for word as partwarden.notify_of() does in a database."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from partwarden.aws.fleet.incident import Change, Event, Pace

TOLD_IN_FULL = 40

_PROSE = re.compile(r"(.{1,64})(?:\s+|\Z)", re.DOTALL)
_HEADINGS = {
    Event.OPENED: "",
    Event.WORSENED: "NOW ",
    Event.REMINDER: "STILL ",
    Event.REOPENED: "AGAIN ",
}


def subject_of(cluster: str, database: str, changes: Sequence[Change]) -> str:
    """One line: how bad, where, and the first of what changed."""
    ordered = _in_order(changes)
    events = {change.event for change in ordered}
    if events == {Event.RESOLVED}:
        word = "RESOLVED"
    elif events <= {Event.RESOLVED, Event.REMINDER}:
        word = "REMINDER"
    else:
        word = min(change.incident.severity for change in ordered if change.event is not Event.RESOLVED).upper()
    first = ordered[0].incident
    more = f" (+{len(ordered) - 1} more)" if len(ordered) > 1 else ""
    return f"[partwarden] {word} {cluster}/{database}: {first.object} {first.check}{more}"


def message_of(cluster: str, database: str, changes: Sequence[Change], at: datetime, pace: Pace) -> str:
    """Where, what, since when, why, how we know, what to type next: for a person who was asleep a minute ago."""
    ordered = _in_order(changes)
    lines = [
        f"cluster   {cluster}",
        f"database  {database}",
        f"seen at   {utc(at)}",
        "",
        "\n\n".join(describe(change, pace) for change in ordered[:TOLD_IN_FULL]),
    ]
    if len(ordered) > TOLD_IN_FULL:
        lines.append(f"\n... and {len(ordered) - TOLD_IN_FULL} more: partwarden aws fleet status --all")
    return "\n".join(lines)


def describe(change: Change, pace: Pace) -> str:
    """One incident as plain text: a heading, then a line a fact, further lines of a fact indented under it."""
    incident, is_over = change.incident, change.event is Event.RESOLVED
    heading = "RESOLVED" if is_over else _HEADINGS[change.event] + incident.severity.upper()
    lines: list[str | None] = [
        f"{heading}  {incident.object}  {incident.check}",
        _fact("was" if is_over else "what", incident.summary, wrap=True),
        _fact("since", utc(incident.since)),
        _fact("until", utc(incident.resolved_at) if is_over and incident.resolved_at else None),
    ]
    if incident.reopened:
        often = "once" if incident.reopened == 1 else f"{incident.reopened} times"
        minutes = round(pace.flap_window.total_seconds() / 60)
        later = f" From now on, its end is announced when it has stayed away for {minutes} minutes."
        lines.append(_fact("comes and goes", f"It has come back {often}.{'' if is_over else later}", wrap=True))
    if not is_over:
        detail = dict(incident.detail)
        lines.append(_fact("cause", _as_text(detail.pop("cause", None)), wrap=True))
        lines += [_fact(name.replace("_", " "), _as_text(value)) for name, value in detail.items()]
        if incident.remedy is not None:
            # On lines of its own, to be pasted.
            lines.append("  next\n    " + incident.remedy.replace("\n", "\n    "))
    return "\n".join(line for line in lines if line is not None)


def utc(moment: datetime) -> str:
    """The moment as a mail writes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _in_order(changes: Sequence[Change]) -> list[Change]:
    """What is new and critical comes first."""
    return sorted(
        changes,
        key=lambda change: (
            change.event is Event.RESOLVED,
            change.incident.severity,
            change.incident.object,
            change.incident.check,
        ),
    )


def _fact(name: str, value: str | None, *, wrap: bool = False) -> str | None:
    """A line "  name    value", further lines indented under it. Prose is wrapped; what may be pasted is not."""
    if value is None:
        return None
    if wrap:
        value = _PROSE.sub(r"\1\n", value).rstrip("\n")
    return f"  {name[:20]:<20}" + value.replace("\n", "\n" + " " * 22)


def _as_text(value: Any) -> str | None:
    """A value of the evidence as jsonb writes it."""
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)
