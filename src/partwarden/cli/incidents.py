"""Commands for what is wrong and has been told of: to see it, to say that one is at it, to have it be quiet."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

from cyclopts import App, Group, Parameter
from rich.console import Console
from rich.table import Table
from rich.text import Text

from partwarden import incidents
from partwarden.cli import completion
from partwarden.cli.grammar import COMMON, Common
from partwarden.database import connect
from partwarden.errors import BadOption, IncidentRefused
from partwarden.incidents import Delivery, Incident, State, Telling
from partwarden.report.table import COLOURS
from partwarden.report.text import in_one_line, visible, visible_lines

app = App(
    name="incidents",
    help="What is wrong in a database, since when, who is at it, and what was told of it.",
    sort_key=4,
    group_commands=Group("Commands", sort_key=0),
    default_parameter=Parameter(negative=()),
)

Id = Annotated[int | None, Parameter(name="--id", help="The incident's number, as list shows it, by its name.")]
Words = Annotated[
    str,
    Parameter(
        name="DATABASE",
        completer=completion.databases,
        help="A name in the file, or a connection string, where --database or the file does not say it; then the incident's "
        "number.",
    ),
]


@app.command(name="list", sort_key=0)
def list_(
    *databases: Annotated[
        str,
        Parameter(name="DATABASE", completer=completion.databases, help="Which databases, as for partwarden check."),
    ],
    resolved_too: Annotated[
        bool, Parameter(name="--all", help="Also those that are resolved, as long as they are kept.")
    ] = False,
    common: Common = COMMON,
) -> None:
    """List what is open, the worst first."""
    found = []
    for each in common.databases(*databases):
        with connect(each.dsn, timeout=common.timeout) as connection:
            listed = incidents.list_incidents(connection, resolved_too=resolved_too)
            found.append((connection.info.dbname, listed))
    common.answer(
        {"incidents": [{"database": database, **_document(each)} for database, listed in found for each in listed]}
    )
    for number, (database, listed) in enumerate(found):
        if len(found) > 1:
            common.out.print(Text(("\n" if number else "") + visible(database), style="bold"))
        _print_list(common, listed, resolved_too=resolved_too)


def _print_list(common: Common, listed: list[Incident], *, resolved_too: bool) -> None:
    if not listed:
        common.out.print("no incidents" if resolved_too else "no open incidents")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("id", justify="right")
    for heading in ("severity", "state", "since", "object", "check", "summary"):
        table.add_column(heading, overflow="fold")
    for each in listed:
        table.add_row(
            str(each.id),
            Text(each.severity, style=COLOURS[each.severity] if each.state is not State.RESOLVED else ""),
            Text(_state(each)),
            Text(_utc(each.since)),
            Text(visible(each.object)),
            Text(each.check_id),
            Text(in_one_line(each.summary)),
        )
    common.table.print(table)


@app.command(sort_key=1)
def show(*words: Words, incident: Id = None, common: Common = COMMON) -> None:
    """Show one incident: the evidence, the remedy, and each notification that told of it."""
    dsn, incident = _place_and_number(words, incident, common)
    with connect(dsn, timeout=common.timeout) as connection:
        found = incidents.read_incident(connection, incident)
        told = incidents.tellings(connection, incident)
    common.answer({**_document(found), "notifications": [asdict(each) for each in told]})
    out = common.out
    out.print(
        Text.assemble(
            f"incident {found.id}  ", (found.severity.upper(), COLOURS[found.severity]), f"  {visible(found.object)}  "
        )
        + Text(found.check_id)
    )
    for name, value in _facts(found):
        _print_fact(out, name, value)
    if found.remedy:
        out.print("  next")
        for line in visible_lines(found.remedy):
            out.print(Text(f"    {line}"))
    out.print("notifications" if told else "no notification that told of it is kept")
    for each in told:
        out.print(Text(f"  {each.number}  {_utc(each.created_at)}  {each.event:<8}  {_delivery(each)}"))
        out.print(Text(f"      {visible(each.subject)}"))
        _print_error(out, each.last_error)
        for carried in each.deliveries:
            out.print(Text(f"      {visible(carried.channel)}: {_delivery(carried)}"))
            _print_error(out, carried.last_error)


@app.command(sort_key=2)
def ack(
    *words: Words,
    incident: Id = None,
    note: Annotated[str | None, Parameter(help="What to tell others; it stands in mails as well.")] = None,
    undo: Annotated[bool, Parameter(help="Take it back: reminders resume.")] = False,
    common: Common = COMMON,
) -> None:
    """Acknowledge an incident: you are at it. No more reminders, unless it gets worse; its end is still told."""
    if undo and note is not None:
        raise IncidentRefused("a note can't be left while an acknowledgement is taken back", remedy="leave --note out")
    dsn, incident = _place_and_number(words, incident, common)
    with connect(dsn, timeout=common.timeout) as connection:
        if undo:
            found = incidents.unacknowledge(connection, incident)
        else:
            found = incidents.acknowledge(connection, incident, note=note)
    if undo:
        _say(common, found, "is no longer acknowledged: reminders resume")
    else:
        _say(common, found, f"is acknowledged by {found.acknowledged_by}: no more reminders, unless it gets worse")


@app.command(sort_key=3)
def silence(
    *words: Words,
    incident: Id = None,
    until: Annotated[
        str | None,
        Parameter(
            help="'2 hours' from now, tomorrow, 2026-12-01T10:00 (in the session's time zone); ten years at most."
        ),
    ] = None,
    note: Annotated[str | None, Parameter(help="Why; it stands in mails as well.")] = None,
    undo: Annotated[bool, Parameter(help="End the silence now.")] = False,
    common: Common = COMMON,
) -> None:
    """Silence an incident: neither reminders nor its end are told until then, unless it gets worse."""
    if undo == (until is not None):
        raise IncidentRefused(
            "say either until when to be silent, or that the silence is to end", remedy="--until '2 hours' or --undo"
        )
    if undo and note is not None:
        raise IncidentRefused("a note can't be left while a silence is ended", remedy="leave --note out")
    dsn, incident = _place_and_number(words, incident, common)
    with connect(dsn, timeout=common.timeout) as connection:
        if until is None:
            found = incidents.unsilence(connection, incident)
        else:
            found = incidents.silence(connection, incident, until, note=note)
    if found.silenced_until is None:
        _say(common, found, "is not silenced")
    else:
        _say(common, found, f"is silenced until {_utc(found.silenced_until)}, unless it gets worse")


def _place_and_number(words: tuple[str, ...], number: int | None, common: Common) -> tuple[str, int]:
    """Where the incident is, and its number, which stands last where it has no option of its own."""
    *places, last = words if number is None and words else (*words, number)
    if number is None and (last is None or not str(last).isdecimal()):
        raise BadOption(
            "no incident was named" if last is None else f"{visible(str(last))} is not the number of an incident",
            remedy="partwarden incidents list shows the numbers",
        )
    if len(places) > 1:
        raise BadOption("an incident is in one database, and several were named", remedy="name one")
    return common.one_database(*map(str, places)).dsn, int(str(last))


def _state(incident: Incident) -> str:
    match incident.state:
        case State.SILENCED:
            assert incident.silenced_until is not None
            return f"silenced until {_utc(incident.silenced_until)}"
        case State.ACKNOWLEDGED:
            return f"acknowledged by {visible(str(incident.acknowledged_by))}"
        case State.AWAY:
            return "comes and goes, gone just now"
        case State.OPEN if incident.reopened:
            return "open, comes and goes"
        case other:
            return str(other.value)


def _facts(incident: Incident) -> list[tuple[str, str]]:
    """What there is to say of an incident, each with its name."""
    known: list[tuple[str, str | None]] = [
        ("state", _state(incident)),
        ("what", incident.summary),
        ("since", _utc(incident.since)),
        ("opened", _utc(incident.opened_at)),
        ("resolved", None if incident.resolved_at is None else _utc(incident.resolved_at)),
        ("came back", f"{incident.reopened} times" if incident.reopened > 1 else "once" if incident.reopened else None),
        ("last told", None if incident.told is None else f"{incident.told}, {_utc(incident.last_announced_at)}"),
        (
            "acknowledged",
            None
            if incident.acknowledged_at is None
            else f"{_utc(incident.acknowledged_at)} by {incident.acknowledged_by}",
        ),
        (
            "silenced",
            None
            if incident.silenced_until is None
            else f"{'until' if incident.silenced else 'ended'} {_utc(incident.silenced_until)}",
        ),
        ("note", incident.note),
        ("cause", incident.detail.get("cause")),
        *(
            (name.replace("_", " "), value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
            for name, value in incident.detail.items()
            if name != "cause" and value is not None
        ),
    ]
    return [(name, value) for name, value in known if value is not None]


def _delivery(told: Telling | Delivery) -> str:
    attempts = "1 attempt" if told.attempts == 1 else f"{told.attempts} attempts"
    if told.delivered_at is not None:
        return f"delivered {_utc(told.delivered_at)}" + (f", {attempts}" if told.attempts else "")
    if told.attempts == 0:
        return "waits to be delivered"
    return f"not delivered, {attempts}, next not before {_utc(told.next_attempt_at)}"


def _print_error(out: Console, error: str | None) -> None:
    for line in visible_lines(error or ""):
        out.print(Text(f"      {line}", style="red"))


def _print_fact(out: Console, name: str, value: str) -> None:
    out.print(Text(f"  {visible(name):<20}" + ("\n" + " " * 22).join(visible_lines(value))))


def _say(common: Common, incident: Incident, what: str) -> None:
    common.out.print(Text(visible(f"incident {incident.id} ({incident.object} {incident.check_id}) {what}")))
    common.answer(_document(incident))


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S UTC}"


def _document(incident: Incident) -> dict[str, object]:
    return {**asdict(incident), "state": incident.state.value}
