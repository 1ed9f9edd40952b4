"""What several files say of the same database, joined; where they contradict each other, that is an error."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import Any

from partwarden.config.models import Channel, Database, DatabasePart, File
from partwarden.config.names import is_pattern, qualified_name
from partwarden.config.problems import Problem

_LISTS = ("schemas", "silences", "partition_sets")
_MAPS = ("extensions", "thresholds")
_ONCE = ("dsn", "cluster", "cron_database", "scheduler", "maintenance", "monitor")


def join(files: Iterable[File]) -> tuple[tuple[Database, ...], list[Problem]]:
    """The databases of all files, in the order in which they come, and what is wrong with them."""
    parts: dict[str, list[DatabasePart]] = {}
    for file in files:
        for part in file.databases:
            parts.setdefault(part.name, []).append(part)
    databases = []
    problems: list[Problem] = []
    for name, of_one in parts.items():
        database = _joined(name, of_one, problems)
        if database is not None:
            databases.append(database)
        problems += _tables_twice(of_one)
    return tuple(databases), problems


def join_channels(files: Iterable[File], databases: Iterable[Database]) -> tuple[tuple[Channel, ...], list[Problem]]:
    """The channels of all files, and what is wrong with them: a name that comes twice, a pattern that means no database."""
    channels: dict[str, Channel] = {}
    problems: list[Problem] = []
    names = [database.name for database in databases]
    for each in (channel for file in files for channel in file.channels):
        if each.name in channels:
            message = f"{each.name} is there already, at {channels[each.name].source_of('name')}"
            problems.append(Problem.at(each.source_of("name"), "channels.name", message))
        channels.setdefault(each.name, each)
        for pattern in each.databases:
            if not any(fnmatchcase(name, pattern) for name in names):
                message = f"no database of the file is called {pattern}; there are {', '.join(names) or 'none'}"
                problems.append(Problem.at(each.source_of("databases"), f"channel {each.name}: databases", message))
    return tuple(channels.values()), problems


def _joined(name: str, parts: Sequence[DatabasePart], problems: list[Problem]) -> Database | None:
    joined: dict[str, Any] = {"name": name}
    for key in _ONCE:
        said = [part for part in parts if getattr(part, key) is not None]
        if said:
            joined[key] = getattr(said[0], key)
        problems += [
            _contradiction(name, key, said[0], other) for other in said[1:] if getattr(other, key) != joined[key]
        ]
    for key in _LISTS:
        said = [part for part in parts if key in part.model_fields_set]
        if said:  # an empty list says something, too
            joined[key] = tuple(each for part in said for each in getattr(part, key))
    if "schemas" in joined:
        joined["schemas"] = tuple(dict.fromkeys(joined["schemas"]))
    for key in _MAPS:
        said = [part for part in parts if key in part.model_fields_set]
        if said:
            joined[key] = _united(name, key, said, problems)
    if "dsn" not in joined:
        problems.append(Problem.at(parts[0].source, f"database {name}", "nothing says how to get in: dsn"))
        return None
    keys_at = {key: part.source_of(key) for part in reversed(parts) for key in part.model_fields_set}
    return Database(**joined).placed(parts[0].source, keys_at)


def _united(name: str, key: str, parts: Sequence[DatabasePart], problems: list[Problem]) -> dict[str, Any]:
    united: dict[str, Any] = {}
    for part in parts:
        for inner, value in getattr(part, key).items():
            if united.setdefault(inner, value) != value:
                first = next(each for each in parts if inner in getattr(each, key))
                problems.append(_contradiction(name, f"{key}.{inner}", first, part))
    return united


def _contradiction(name: str, key: str, first: DatabasePart, other: DatabasePart) -> Problem:
    outer = key.partition(".")[0]
    return Problem.at(
        other.source_of(outer), f"database {name}: {key}", f"{first.source_of(outer)} says something else"
    )


def _tables_twice(parts: Sequence[DatabasePart]) -> list[Problem]:
    first: dict[str, Any] = {}
    problems = []
    for part in parts:
        for each in part.partition_sets:
            for table in each.tables:
                name = table if is_pattern(table) else str(qualified_name(table))
                if name in first:
                    message = f"{table} is there already, at {first[name]}"
                    problems.append(Problem.at(each.source_of("tables"), "table", message))
                first.setdefault(name, each.source_of("tables"))
    return problems
