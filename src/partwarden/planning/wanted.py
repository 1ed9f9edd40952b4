"""What the file says of a set, in pg_partman's own words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from partwarden.catalog import TERMS, Partman, Term
from partwarden.config import PartitionSet, SubPartition
from partwarden.config.names import qualified_name

FIXED = ("control", "interval", "type", "epoch", "time_encoder", "time_decoder")
"""Keys that the partitions of a set already stand for: another value would not fit them."""


@dataclass(frozen=True)
class Wanted:
    """A set, or what its partitions are to be partitioned into, as pg_partman is told.

    ``columns`` are those of part_config, ``arguments`` those of create_parent(), without the table's name; both hold only
    what the file says, and ``rest`` are the columns that no argument stands for. ``keys`` gives each column its key in the
    file. ``unknown`` are keys that this version has no word for.
    """

    columns: Mapping[str, Any]
    arguments: Mapping[str, Any]
    rest: Mapping[str, Any]
    keys: Mapping[str, str]
    unknown: tuple[str, ...]


def in_partmans_words(wanted: PartitionSet | SubPartition, partman: Partman) -> Wanted:
    """The file's words for pg_partman as it is installed."""
    if isinstance(wanted, SubPartition):
        known = {column.removeprefix("sub_") for column in partman.sub_columns}
        known_arguments = partman.sub_arguments
    else:
        known, known_arguments = set(partman.columns), partman.arguments
    columns: dict[str, Any] = {}
    arguments: dict[str, Any] = {}
    rest: dict[str, Any] = {}
    keys: dict[str, str] = {}
    unknown = []
    for term, value in _said(wanted):
        told = {column: each for column, each in _columns(term, value, partman).items() if column in known}
        columns |= told
        keys |= dict.fromkeys(told, term.key)
        if term.argument in known_arguments:
            arguments[str(term.argument)] = _argument(term, value, partman)
        else:
            rest |= told
        if term.argument in known_arguments or told:
            continue
        if not _is_so_anyway(term, value, partman):
            unknown.append(term.key)
    if partman.is_4:
        arguments["p_type"] = "native"
    return Wanted(columns, arguments, rest, keys, tuple(unknown))


def _said(wanted: PartitionSet | SubPartition) -> list[tuple[Term, Any]]:
    """Each thing that the file says something of; None is a retention that is to be none."""
    said: dict[str, Any] = {term.key: value for term in TERMS if (value := getattr(wanted, term.key, None)) is not None}
    if wanted.retention is False:
        said["retention.keep"] = None
    elif wanted.retention is not None:
        said |= {
            f"retention.{name}": value
            for name, value in wanted.retention
            if value is not None and name not in ("source", "move_to")
        }
        if wanted.retention.then == "move":
            said["retention.then"] = ("move", wanted.retention.move_to)
    return [(term, said[term.key]) for term in TERMS if term.key in said]


def _columns(term: Term, value: Any, partman: Partman) -> dict[str, Any]:
    match term.key, value:
        case "retention.then", (_, schema):
            return {"retention_schema": schema}
        case "retention.then", then:
            return {"retention_keep_table": then == "detach", "retention_schema": None}
        case "type", "range" if partman.is_4:
            return {"partition_type": "native"}
        case "template", False:
            return {"template_table": None}
        case "template", name:
            return {"template_table": qualified_name(name).bare}
        case _ if term.column is None:
            return {}
        case _:
            return {term.column: list(value) if isinstance(value, tuple) else value}


def _argument(term: Term, value: Any, partman: Partman) -> Any:
    if term.key == "template" and value is False:
        return "false"
    return next(iter(_columns(term, value, partman).values()), value)


def _is_so_anyway(term: Term, value: Any, partman: Partman) -> bool:
    """Whether pg_partman does this without being told: version 4 always makes a default partition."""
    return partman.is_4 and term.key == "default" and value is True


def levels(wanted: PartitionSet) -> Iterator[tuple[PartitionSet | SubPartition, str]]:
    """The set, and what its partitions are partitioned into, level by level; each with what stands before its keys."""
    entry: PartitionSet | SubPartition | None = wanted
    prefix = ""
    while entry is not None:
        yield entry, prefix
        entry, prefix = entry.sub, prefix + "sub."
