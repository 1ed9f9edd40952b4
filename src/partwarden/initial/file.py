"""What was found, as the text of a file that a person could have written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from partwarden.config.names import QualifiedName, written
from partwarden.config.reading import understood
from partwarden.database import connect_read_only
from partwarden.dsn import SECRETS, is_libpqs, without_password
from partwarden.errors import InitialFileFailed
from partwarden.initial.common import beside, defaults_of, joined
from partwarden.initial.entries import Entry, describe, ordinary
from partwarden.initial.found import Found, levels, look
from partwarden.initial.jobs import jobs_and_settings
from partwarden.initial.layout import Value, comment, commented, inline, item, section, word
from partwarden.initial.suggestions import suggest

_EXTENSIONS = ("pg_partman", "pg_cron", "pg_jobmon", "aws_commons", "aws_lambda")


@dataclass(frozen=True)
class InitialFile:
    """The file's text. ``sets`` are said in it, ``suggested`` and ``refused`` stand in comments."""

    database: str
    text: str
    sets: int
    suggested: int
    refused: int


def initial_file(dsn: str, *, name: str | None = None, timeout: float = 60) -> InitialFile:
    """Write down what the database that ``dsn`` leads to has; nothing is written there. No password is ever in it.

    Raises CouldNotConnect, and InitialFileFailed where something may not be read.
    """
    with connect_read_only(dsn, timeout=timeout) as connection:
        try:
            found = look(connection, dsn)
        except psycopg.errors.InsufficientPrivilege as refused:
            raise InitialFileFailed(
                f"could not read what the database has: {refused.diag.message_primary}",
                remedy="grant it, or log in as the role that owns the tables",
            ) from None
    return _written(found, dsn, name or found.server.database)


def _written(found: Found, dsn: str, name: str) -> InitialFile:
    entries = [_checked(entry) for entry in _entries(found)]
    said = [entry for entry in entries if not entry.refused]
    refused = [entry for entry in entries if entry.refused]
    usual = {} if found.partman is None else ordinary(found.partman)
    defaults = defaults_of(said, usual)
    suggestions = list(suggest(found))
    lines = [
        *comment(f"What database {found.server.database} has, as partwarden init found it: {_versions(found)}.", 0),
        *comment(
            "What is not said is not managed. partwarden plan shows what would change, and finds nothing as long as this "
            "file is as it is; every key is explained in docs/file.md.",
            0,
        ),
        "databases:",
        *_database(found, dsn, name),
    ]
    if said:
        lines.append("    partition_sets:")
        for entry in joined([beside(defaults, entry, usual) for entry in said]):
            lines += [line for remark in entry.remarks for line in comment(remark, 6)]
            lines += item(entry.keys, 6)
    elif refused or any(keys for _, keys in suggestions):
        lines += ["", "    # partition_sets:"]
    for entry in refused:
        lines += ["", *comment(f"{entry.keys['table']}: {'; '.join(entry.refused)}.", 6)]
        lines += commented(item(entry.keys, 6), 6)
    for text, keys in suggestions:
        lines += ["", *comment(text, 6)]
        if keys:
            lines += commented(item(keys, 6), 6)
    if defaults:
        lines += ["", *section({"defaults": defaults}, 0)]
    return InitialFile(name, "\n".join(lines) + "\n", len(said), len(suggestions), len(refused))


def _versions(found: Found) -> str:
    server = found.server
    parts = [f"PostgreSQL {server.version // 10000}"]
    parts += [
        f"{each} {server.extensions[each].version}" for each in ("pg_partman", "pg_cron") if each in server.extensions
    ]
    return ", ".join(parts)


def _database(found: Found, dsn: str, name: str) -> Iterator[str]:
    yield f"  - name: {word(name)}"
    shown = dsn
    if is_libpqs(dsn):
        shown = without_password(dsn or make_conninfo("", dbname=found.server.database))
        if SECRETS & conninfo_to_dict(dsn).keys():
            yield from comment(
                "The password is not here: it belongs into ~/.pgpass, a service or a variable (env:NAME).", 4
            )
    yield f"    dsn: {word(shown)}"
    if found.installed.settings.get("cluster"):
        yield f"    cluster: {word(found.installed.settings['cluster'])}"
    extensions: dict[str, Value] = {
        each: written(found.server.extensions[each].schema) for each in _EXTENSIONS if each in found.server.extensions
    }
    if extensions:
        yield f"    extensions: {inline(extensions)}"
    if found.partman is None and any(table.key is not None for table in found.tables.values()):
        yield from comment("pg_partman is not in this database. With this it would be installed:", 4)
        yield from commented(section({"extensions": {"pg_partman": "partman"}}, 4), 4)
    yield from jobs_and_settings(found)


def _entries(found: Found) -> Iterator[Entry]:
    if found.partman is None:
        return
    for managed in found.managed.values():
        if managed.above is not None:
            continue
        schema, _, table = managed.parent_table.partition(".")
        yield describe(
            managed,
            levels(found.managed, managed),
            found.tables.get(QualifiedName(schema, table)),
            found.details.get(managed.parent_table),
            found.partman,
            found.installed.policies.get(managed.parent_table),
        )


def _checked(entry: Entry) -> Entry:
    """The same, refused where the file's own rules do."""
    if entry.refused:
        return entry
    text = "\n".join(["databases:", "  - name: a", "    dsn: env:A", "    partition_sets:", *item(entry.keys, 6)])
    _, problems = understood(text.encode(), "")
    return replace(entry, refused=tuple(f"{each.key.rpartition('].')[2]}: {each.message}" for each in problems))
