"""The record of what people did, in the database that they did it to: who, when, to what, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Any

from psycopg import sql
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from partwarden.database import Connection, explained
from partwarden.errors import ActionRefused, NotInstalled
from partwarden.install import installed_version


class Outcome(StrEnum):
    """How an action stands. What takes long has two entries: that it was begun, and how it ended."""

    BEGUN = "begun"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Entry:
    """One thing that somebody did. ``at`` knows its time zone.

    ``actor`` is who they are to the page, or to the database; ``role`` is the role that the session had logged in as.
    ``began_as`` is, of how something ended, the id of the entry that tells of its beginning.
    """

    id: int
    at: datetime
    actor: str
    role: str
    action: str
    object: str
    detail: dict[str, Any]
    outcome: str
    began_as: int | None


_ENTRIES = sql.SQL("select {} from partwarden.audit order by id desc limit %s").format(
    sql.SQL(", ").join(sql.Identifier(each.name) for each in fields(Entry))
)


def read_entries(connection: Connection, *, at_most: int = 100) -> list[Entry]:
    """What was done last, the newest first. Raises NotInstalled where nothing is put on record, ActionRefused if unreadable."""
    require_record(connection)
    with explained("could not read the record of what was done", ActionRefused):
        return connection.cursor(row_factory=class_row(Entry)).execute(_ENTRIES, (at_most,)).fetchall()


def put_on_record(
    connection: Connection,
    actor: str,
    action: str,
    target: str,
    outcome: Outcome,
    *,
    detail: dict[str, Any] | None = None,
    began_as: int | None = None,
) -> int:
    """Write one entry, and return its id. Raises ActionRefused where this role may not, NotInstalled as ``require_record``."""
    require_record(connection)
    with explained(f"could not put on record that {action} of {target} is {outcome}", ActionRefused):
        row = connection.execute(
            "select partwarden.note_action(%s::text, %s::text, %s::text, %s::jsonb, %s::text, %s::bigint)",
            (actor, action, target, Jsonb(detail or {}), outcome.value, began_as),
        ).fetchone()
    assert row is not None
    return int(row[0])


def require_record(connection: Connection) -> None:
    """Raise NotInstalled unless this database has a partwarden that keeps a record; ActionRefused where this can't be seen."""
    with explained("could not see whether what is done is put on record", ActionRefused):
        version = installed_version(connection)
        has_record = connection.execute("select to_regclass('partwarden.audit') is not null").fetchone() == (True,)
    if version is None:
        raise NotInstalled(
            "partwarden is not installed in this database, so that what is done here could not be put on record",
            remedy="partwarden install DSN",
        )
    if not has_record:
        raise NotInstalled(
            f"this database has partwarden {version}, an older one, which keeps no record of what is done",
            remedy="partwarden install DSN",
        )
