"""The statements by which pg_partman comes to manage a table that is partitioned already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from partwarden.catalog import Table
from partwarden.config import PartitionSet, SubPartition
from partwarden.database import quoted
from partwarden.planning.bounds import end_of_partitions
from partwarden.planning.default_partition import put_aside, takes_no_default
from partwarden.planning.steps import Obstacle
from partwarden.planning.view import View
from partwarden.planning.wanted import Wanted, in_partmans_words
from partwarden.planning.writing import Expression, call, literal, update


def create(view: View, wanted: PartitionSet, table: Table) -> list[str] | Obstacle:
    """What makes ``table`` a set of pg_partman's; the partitions that it has already stay, and become part of it."""
    assert view.partman is not None
    partman = view.partman
    words = in_partmans_words(wanted, partman)
    arguments = {"p_parent_table": table.parent_table, **words.arguments}
    statements: list[str] = []
    if table.partitions > (table.default_partition is not None):
        start = end_of_partitions(view, wanted, table)
        if isinstance(start, Obstacle):
            return start
        arguments["p_start_partition"] = start
    back: list[str] = []
    if table.default_partition is not None:
        if takes_no_default(partman):
            arguments["p_default_table"] = False
        else:
            aside, back = put_aside(table, table.default_partition)
            statements += aside
    statements.append(f"select {call(partman.schema, 'create_parent', arguments)};")
    statements += back
    statements += _configure(partman.schema, words.rest, literal(table.parent_table))
    if wanted.sub is not None:
        statements += create_sub(view, wanted.sub, table)
    # pg_partman 4 finds partitions by their names: those that it can't read are an error now, and nothing has happened.
    statements.append(f"select count(*) from {quoted(partman.schema)}.show_partitions({literal(table.parent_table)});")
    return statements


def create_sub(view: View, sub: SubPartition, table: Table, level: int = 1) -> list[str]:
    """What has the partitions of ``table``, or those ``level`` levels below it, be partitioned themselves.

    Partitions that are not partitioned yet are dropped by pg_partman, and made anew.
    """
    assert view.partman is not None
    partman = view.partman
    words = in_partmans_words(sub, partman)
    check = "p_native_check" if partman.is_4 else "p_declarative_check"
    parent = literal(table.parent_table) if level == 1 else "parent.name"
    arguments = {"p_top_parent": Expression(parent), **words.arguments, check: "yes"}
    source = "" if level == 1 else f" from ({parents_at(table, level - 1)}) parent (name)"
    statements = [f"select {call(partman.schema, 'create_sub_parent', arguments)}{source};"]
    statements += configure_sub(view, words, table, level)
    if sub.sub is not None:
        statements += create_sub(view, sub.sub, table, level + 1)
    return statements


def configure_sub(view: View, words: Wanted, table: Table, level: int) -> list[str]:
    """What gives sets that are partitions, now and those to come, their settings; only those that no argument gives."""
    assert view.partman is not None
    if not words.rest:
        return []
    above = literal(table.parent_table) if level == 1 else f"any ({parents_at(table, level - 1)})"
    # Whether new ones have a default partition is known to part_config_sub only.
    kept = {column: value for column, value in words.rest.items() if column in view.partman.columns}
    return [
        update(
            f"{quoted(view.partman.schema)}.part_config_sub",
            {f"sub_{column}": value for column, value in words.rest.items()},
            f"sub_parent = {above}",
        ),
        *_configure(view.partman.schema, kept, f"any ({parents_at(table, level)})"),
    ]


def parents_at(table: Table, level: int) -> str:
    """A SELECT of pg_partman's names of the partitioned tables so many levels below ``table``."""
    return (
        "select nspname || '.' || relname from pg_partition_tree("
        f"{literal(quoted(table.schema, table.name))}) tree join pg_class on pg_class.oid = tree.relid "
        f"join pg_namespace on pg_namespace.oid = relnamespace where tree.level = {level} and not tree.isleaf"
    )


def _configure(schema: str, values: Mapping[str, Any], parent: str) -> list[str]:
    return [update(f"{quoted(schema)}.part_config", values, f"parent_table = {parent}")] if values else []
