"""A set that pg_partman manages, as an entry of the file: what differs from pg_partman's own defaults, in the file's words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from partwarden.catalog import TERMS, ManagedSet, Partman, Table, fate_of_old
from partwarden.config.lengths import seconds_of
from partwarden.config.names import QualifiedName, written
from partwarden.config.sets import ORDER
from partwarden.initial.layout import Value

_DAY = 86400
_NATIVE = ("native", "range", "list")
_NAMES = frozenset({"control", "maintenance_role", "subscription_refresh"})
_LISTS = frozenset({"constraint_columns", "publications"})
_LONGEST_NAME = 63

_NAMED_BY_4 = ("YYYY", 'YYYY"q"Q', "YYYY_MM", 'IYYY"w"IW', "YYYY_MM_DD", "YYYY_MM_DD_HH24MI", "YYYY_MM_DD_HH24MISS")

_ORDINARY: Mapping[str, bool | int | str] = {
    "type": "range",
    "premake": 4,
    "infinite": False,
    "epoch": "none",
    "automatic": "on",
    "default": True,
    "optimize_constraint": 30,
    "constraint_valid": True,
    "inherit_privileges": False,
    "control_not_null": True,
    "offset": 0,
    "jobmon": True,
    "inherit_fk": True,
    "retention.keep_index": True,
    "retention.keep_publication": False,
    "retention.detach_before_drop": False,
    "retention.cascade": False,
}

_IN_THE_MIDDLE = {
    "undo_in_progress": "it is being undone: maintenance leaves it out until undo_in_progress is false again",
    "async_partitioning_in_progress": "partition_data_async() was interrupted: partwarden repair gets its rows back",
    "sub_partition_set_full": "it holds all partitions that it can (sub_partition_set_full)",
}


@dataclass(frozen=True)
class Detail:
    """What the table itself says of a set: its owner, whether the control column is NOT NULL, one partition's lower bound."""

    owner: str
    is_not_null: bool
    lower: str | None


@dataclass(frozen=True)
class Entry:
    """A set as the file has it. ``remarks`` are for comments; ``refused`` says why it can't be said."""

    keys: Mapping[str, Value]
    remarks: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()

    @property
    def settings(self) -> Mapping[str, Value]:
        """All but the table."""
        return {key: value for key, value in self.keys.items() if key not in ("table", "tables")}


def ordinary(partman: Partman) -> Mapping[str, bool | int | str]:
    """What pg_partman does where it is told nothing, by key; keys that have no such value are left out."""
    return {**_ORDINARY, "ignore_default_data": not partman.is_4}


def describe(
    managed: ManagedSet,
    below: Iterator[ManagedSet],
    table: Table | None,
    detail: Detail | None,
    partman: Partman,
    policy: str | None,
) -> Entry:
    """The entry of one set; ``below`` are those that are its partitions, one for each level, the next first."""
    schema, _, name = managed.parent_table.partition(".")
    config = managed.config
    entry = Entry(
        {"table": str(QualifiedName(schema, name))},
        (*(text for column, text in _IN_THE_MIDDLE.items() if config.get(column)), *_of_retention(config)),
        tuple(_refusals(managed, table)),
    )
    owner = None if detail is None else detail.owner
    keys = {**entry.keys, **_told(config, partman, _usual_template(partman, schema, name), owner)}
    if table is not None and table.default_partition is None:
        if "p_default_table" in partman.arguments:
            keys["default"] = False
        else:
            entry = replace(
                entry, remarks=(*entry.remarks, "it has no default partition; pg_partman 4 always makes one")
            )
    if detail is not None:
        keys |= _of_the_table(detail, config, partman)
    if policy is not None:
        keys["repair"] = policy
    if managed.sub is not None:
        keys["sub"] = _sub(managed, below, partman, owner)
        below_it = {column.removeprefix("sub_"): value for column, value in managed.sub.items()}
        entry = replace(entry, remarks=(*entry.remarks, *(f"in `sub`, {each}" for each in _of_retention(below_it))))
    return replace(entry, keys={key: keys[key] for key in ORDER if key in keys})


def _sub(managed: ManagedSet, below: Iterator[ManagedSet], partman: Partman, owner: str | None) -> Mapping[str, Value]:
    assert managed.sub is not None
    config = {column.removeprefix("sub_"): value for column, value in managed.sub.items()}
    keys = _told(config, partman, managed.config.get("template_table"), owner)
    child = next(below, None)
    if child is not None and child.sub is not None:
        keys["sub"] = _sub(child, below, partman, owner)
    return {key: keys[key] for key in ORDER if key in keys}


def _refusals(managed: ManagedSet, table: Table | None) -> Iterator[str]:
    kind = managed.config["partition_type"]
    if kind not in _NATIVE:
        yield f"pg_partman 4 partitions it with triggers (partition_type {kind}): that can't be said here"
    elif managed.oid is None:
        yield "pg_partman is configured for it, and there is no such table (partwarden explain config-orphan)"
    elif table is None:
        yield "it is a partition of a table that pg_partman does not manage"
    elif table.strategy is None:
        yield "pg_partman is configured for it, and it is not partitioned (partwarden explain config-orphan)"


def _told(
    config: Mapping[str, Any], partman: Partman, usual_template: str | None, owner: str | None
) -> dict[str, Value]:
    """What pg_partman has been told, where it is not the ordinary."""
    keys: dict[str, Value] = {}
    usual = ordinary(partman)
    retention: dict[str, Value] = {}
    for term in TERMS:
        value = config.get(term.column) if term.column is not None else None
        if term.key == "template":
            if value != usual_template:
                keys["template"] = False if value is None else _qualified(value)
        elif term.key in ("type", "retention.then") or value is None or value == usual.get(term.key):
            continue
        elif term.key == "retention.keep":
            retention = {"keep": in_words(value), "then": fate_of_old(config)}
        elif term.key.startswith("retention."):
            retention[term.key.removeprefix("retention.")] = value
        elif term.key == "interval":
            keys["interval"] = in_words(value)
        elif (term.key == "datetime_string" and _is_usual(value, config, partman)) or (
            term.key == "maintenance_role" and value == owner
        ):
            continue
        elif term.key in _NAMES:
            keys[term.key] = written(value)
        elif term.key in _LISTS:
            keys[term.key] = [written(each) for each in value]
        else:
            keys[term.key] = value
    if retention:
        keys["retention"] = retention
    if config["partition_type"] == "list":
        keys["type"] = "list"
    return keys


def _of_retention(config: Mapping[str, Any]) -> Iterator[str]:
    """What `then` can't say."""
    if config["retention"] is None and fate_of_old(config) != "detach":
        yield f"all partitions are kept, and old ones would be told to {fate_of_old(config)}: `then` takes a `keep`"
    elif config["retention_schema"] is not None and not config["retention_keep_table"]:
        yield f"old partitions {fate_of_old(config)}; that retention_keep_table is false besides means nothing, and is left out"


def _of_the_table(detail: Detail, config: Mapping[str, Any], partman: Partman) -> dict[str, Value]:
    found: dict[str, Value] = {}
    if not detail.is_not_null and "p_control_not_null" in partman.arguments:
        found["control_not_null"] = False
    interval, lower = str(config["partition_interval"]), detail.lower or ""
    if "p_offset_id" in partman.arguments and interval.isdigit() and re.fullmatch(r"-?[0-9]+", lower):
        found["offset"] = int(lower) % int(interval)
        if found["offset"] == 0:
            del found["offset"]
    return found


def _qualified(name: str) -> str:
    schema, _, table = name.partition(".")
    return str(QualifiedName(schema, table))


def _usual_template(partman: Partman, schema: str, name: str) -> str:
    """The name that pg_partman gives the template of a set, cut to what a name may have."""
    return f"{partman.schema}." + f"template_{schema}_{name}".encode()[:_LONGEST_NAME].decode(errors="ignore")


def _is_usual(datetime_string: str, config: Mapping[str, Any], partman: Partman) -> bool:
    """Whether pg_partman would name partitions so by itself."""
    if partman.is_4:
        return datetime_string in _NAMED_BY_4
    seconds = seconds_of(str(config["partition_interval"]))
    return datetime_string == ("YYYYMMDD_HH24MISS" if seconds is not None and seconds < _DAY else "YYYYMMDD")


def in_words(length: str) -> str:
    """An interval as a person writes it, where PostgreSQL's own way is another: ``01:00:00`` is 1 hour."""
    found = re.fullmatch(r"(\d+):(\d\d):(\d\d)", length)
    if found:
        hours, minutes, seconds = map(int, found.groups())
        for number, others, unit in (
            (hours, minutes + seconds, "hour"),
            (hours * 60 + minutes, seconds, "minute"),
            (hours * 3600 + minutes * 60 + seconds, 0, "second"),
        ):
            if number and not others:
                return _counted(number, unit)
    found = re.fullmatch(r"(\d+) (day|mon|year)s?", length)
    if found is None:
        return length
    number, unit = int(found[1]), found[2].replace("mon", "month")
    if unit == "day" and number == 7:
        return "1 week"
    return _counted(number, unit)


def _counted(number: int, unit: str) -> str:
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"
