"""partwarden's own settings: the row of partwarden.setting, and silences."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import psycopg

from partwarden.config import Database, Monitor
from partwarden.database import first_line
from partwarden.planning.differences import shown
from partwarden.planning.steps import Action, Change, Kind, Obstacle, Step
from partwarden.planning.view import View, has_table
from partwarden.planning.writing import literal, update

_NOT_SETTINGS = frozenset({"schedule", "channel", "lambda_arn", "topic_arn"})
_DELIVERED_BY = {"aws_lambda": "aws_lambda", "none": "aws_lambda", "agent": "agent", "both": "both"}
"""Who delivers, by channel; without a function, aws_lambda delivers nothing."""


def wanted_settings(database: Database) -> dict[str, Any]:
    """The columns of partwarden.setting that the file says something of."""
    said: dict[str, Any] = {"cluster": database.cluster}
    for section in (database.maintenance, database.monitor):
        if section:
            said |= {name: value for name, value in section if name not in _NOT_SETTINGS}
    if isinstance(database.monitor, Monitor):
        channel = database.monitor.channel or ("aws_lambda" if database.monitor.lambda_arn else None)
        said["delivered_by"] = None if channel is None else _DELIVERED_BY[channel]
    return {name: value for name, value in {**said, **database.thresholds}.items() if value is not None}


def plan_settings(view: View, database: Database) -> Step | Obstacle | None:
    """What is to be another value in partwarden.setting; all that is said where partwarden is not installed yet."""
    wanted = wanted_settings(database)
    actual: dict[str, Any] = {}
    if view.installed is not None and wanted:
        try:
            with view.connection.transaction():
                row = view.connection.execute(
                    "select to_jsonb(setting), to_jsonb(jsonb_populate_record(setting, %s)) from partwarden.setting",
                    (json.dumps(wanted),),
                ).fetchone()
        except psycopg.Error as failure:
            return Obstacle("settings", first_line(failure), "partwarden validate names the key", str(database.source))
        assert row is not None
        actual, after = row
        # One that is not there yet comes with the upgrade, which is a step before this one.
        wanted = {
            name: value for name, value in wanted.items() if name not in actual or actual[name] != after.get(name)
        }
    if not wanted:
        return None
    return Step(
        Kind.SETTINGS,
        Action.CHANGE,
        "settings",
        "",
        (update("partwarden.setting", wanted, "true"),),
        tuple(Change(name, shown(actual.get(name)), shown(value)) for name, value in wanted.items()),
    )


def plan_silences(view: View, database: Database) -> Iterator[Step]:
    """Silences that are not kept as the file has them; those that the file does not have end."""
    wanted = {(each.check, each.object): (_moment(view, each.until), each.note) for each in database.silences}
    actual: dict[tuple[str, str], tuple[str, str | None]] = {}
    if has_table(view.connection, "partwarden.silence"):
        rows = view.connection.execute("select check_id, object, until::text, note from partwarden.silence").fetchall()
        actual = {(check, name): (until, note) for check, name, until, note in rows}
    changes, statements = [], []
    for key in sorted({*wanted, *actual}):
        after = wanted.get(key)
        before = actual.get(key)
        if after == before:
            continue
        if after is None and not database.silences and "silences" not in database.model_fields_set:
            continue
        check, name = key
        changes.append(Change(f"{check} of {name}", _until(before), _until(after)))
        if after is None:
            statements.append(
                f"delete from partwarden.silence where check_id = {literal(check)} and object = {literal(name)};"
            )
        else:
            statements.append(
                "insert into partwarden.silence (check_id, object, until, note) values "
                f"({literal(check)}, {literal(name)}, {literal(after[0])}, {literal(after[1])}) "
                "on conflict (check_id, object) do update set until = excluded.until, note = excluded.note;"
            )
    if changes:
        yield Step(Kind.SILENCES, Action.CHANGE, "silences", "", tuple(statements), tuple(changes))


def _moment(view: View, text: str) -> str:
    """A date or a time as the server writes it, with the time zone that this role has."""
    row = view.connection.execute("select %s::timestamptz::text", (text,)).fetchone()
    assert row is not None
    return str(row[0])


def _until(silence: tuple[str, str | None] | None) -> str | None:
    return None if silence is None else f"until {silence[0]}" + (f" ({silence[1]})" if silence[1] else "")
