"""The statements by which pg_partman comes to manage a table that is partitioned already."""

from __future__ import annotations

from partwarden.catalog import Partman, Table
from partwarden.config import PartitionSet, SubPartition
from partwarden.config.names import qualified_name
from partwarden.database import quoted
from partwarden.planning.steps import Obstacle
from partwarden.planning.view import View
from partwarden.planning.wanted import Wanted, in_partmans_words
from partwarden.planning.writing import Expression, call, literal, update

_NEWEST_END = """
select bound.upper, bound.type
from (
    select
        btrim(split_part(rtrim(pg_get_expr(child.relpartbound, 0), ')'), ') TO (', 2), '''') as upper,
        format_type(atttypid, null) as type
    from pg_catalog.pg_inherits
    join pg_catalog.pg_class child on child.oid = inhrelid
    join pg_catalog.pg_partitioned_table on partrelid = inhparent
    join pg_catalog.pg_attribute on attrelid = inhparent and attnum = partattrs[0]
    where inhparent = %s and child.oid <> partdefid
) bound
"""


def create(view: View, wanted: PartitionSet, table: Table) -> list[str] | Obstacle:
    """What makes ``table`` a set of pg_partman's; the partitions that it has already stay, and become part of it."""
    assert view.partman is not None
    partman = view.partman
    words = in_partmans_words(wanted, partman)
    arguments = {"p_parent_table": table.parent_table, **words.arguments}
    statements: list[str] = []
    if table.partitions > (table.default_partition is not None):
        start = _end_of_partitions(view, wanted, table)
        if isinstance(start, Obstacle):
            return start
        arguments["p_start_partition"] = start
    back: list[str] = []
    if table.default_partition is not None:
        if takes_no_default(partman):
            arguments["p_default_table"] = False
        else:
            aside, back = _put_default_aside(table, table.default_partition)
            statements += aside
    statements.append(f"select {call(partman.schema, 'create_parent', arguments)};")
    statements += back
    statements += _configure(partman.schema, words, literal(table.parent_table))
    if wanted.sub is not None:
        statements += create_sub(view, wanted.sub, table)
    # pg_partman 4 finds partitions by their names: those that it can't read are an error now, and nothing has happened.
    statements.append(f"select count(*) from {quoted(partman.schema)}.show_partitions({literal(table.parent_table)});")
    return statements


def takes_no_default(partman: Partman) -> bool:
    """Whether pg_partman can be told to make no default partition; version 4 makes one, also where there is one already."""
    return "p_default_table" in partman.arguments


def _put_default_aside(table: Table, name: str) -> tuple[list[str], list[str]]:
    """What takes the default partition out of the set, and what puts it back in the place of a new one, under its name."""
    parent, default = quoted(table.schema, table.name), quoted(table.schema, name)
    aside = "partwarden_default_put_aside"
    made = quoted(table.schema, f"{table.name.encode()[:55].decode(errors='ignore')}_default")
    return [
        f"alter table {parent} detach partition {default};",
        f"alter table {default} rename to {aside};",
    ], [
        f"drop table {made};",
        f"alter table {quoted(table.schema, aside)} rename to {quoted(name)};",
        f"alter table {parent} attach partition {default} default;",
    ]


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
    return [
        update(
            f"{quoted(view.partman.schema)}.part_config_sub",
            {f"sub_{column}": value for column, value in words.rest.items()},
            f"sub_parent = {above}",
        ),
        *_configure(view.partman.schema, words, f"any ({parents_at(table, level)})"),
    ]


def parents_at(table: Table, level: int) -> str:
    """A SELECT of pg_partman's names of the partitioned tables so many levels below ``table``."""
    return (
        "select nspname || '.' || relname from pg_partition_tree("
        f"{literal(quoted(table.schema, table.name))}) tree join pg_class on pg_class.oid = tree.relid "
        f"join pg_namespace on pg_namespace.oid = relnamespace where tree.level = {level} and not tree.isleaf"
    )


def _configure(schema: str, words: Wanted, parent: str) -> list[str]:
    return [update(f"{quoted(schema)}.part_config", words.rest, f"parent_table = {parent}")] if words.rest else []


def _end_of_partitions(view: View, wanted: PartitionSet, table: Table) -> str | Obstacle:
    """Where the newest partition ends, as create_parent() takes it: from there on pg_partman makes more."""
    bounds = view.connection.execute(_NEWEST_END, (table.oid,)).fetchall()
    place = str(wanted.source)
    if any(upper in ("MAXVALUE", "") for upper, _ in bounds):
        return Obstacle(
            table.parent_table,
            "its newest partition has no end, so pg_partman could make none after it",
            "give it one: detach it, and attach it again with an upper bound",
            place,
        )
    kind = bounds[0][1]
    unit = {"seconds": 1, "milliseconds": 10**3, "microseconds": 10**6, "nanoseconds": 10**9}.get(wanted.epoch or "")
    if unit is not None:
        newest = f"to_timestamp(max(upper::numeric) / {unit})"
    elif wanted.time_decoder is not None:
        decoder = qualified_name(wanted.time_decoder)
        newest = f"max({quoted(decoder.schema, decoder.name)}(upper::{kind}))"
    else:
        newest = f"max(upper::{kind})"
    row = view.connection.execute(
        f"select ({newest})::text from unnest(%s::text[]) upper".encode(), ([upper for upper, _ in bounds],)
    ).fetchone()
    assert row is not None
    return str(row[0])
