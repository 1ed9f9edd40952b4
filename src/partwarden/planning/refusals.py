"""What the file asks for of a set that a table, or pg_partman as it is installed, can't be."""

from __future__ import annotations

from collections.abc import Iterator

from partwarden.catalog import Table
from partwarden.config import PartitionSet
from partwarden.config.names import written
from partwarden.database import quoted
from partwarden.planning.default_partition import refuse_taken
from partwarden.planning.steps import Obstacle
from partwarden.planning.view import View
from partwarden.planning.wanted import in_partmans_words, levels


def refused(view: View, wanted: PartitionSet, table: Table) -> Iterator[Obstacle]:
    """What the file asks for that this table, or this pg_partman, can't be."""
    assert view.partman is not None
    place = str(wanted.source)
    for entry, prefix in levels(wanted):
        for key in in_partmans_words(entry, view.partman).unknown:
            yield Obstacle(
                table.parent_table,
                f"pg_partman {view.partman.version} can't be told `{prefix}{key}`",
                "leave it out, or bring pg_partman to a version that knows it: partwarden upgrade-check",
                place,
            )
    if table.key is not None and (table.key != (wanted.control,) or table.strategy != (wanted.type or "range")):
        by = ", ".join(column or "an expression" for column in table.key)
        yield Obstacle(
            table.parent_table,
            f"it is partitioned by {table.strategy} of {by}, not by {wanted.type or 'range'} of {wanted.control}",
            _other_key(table),
            place,
        )
    if view.partman.is_4 and wanted.datetime_string is not None and table.parent_table not in view.managed:
        yield Obstacle(
            table.parent_table,
            f"pg_partman {view.partman.version} names the first partitions its own way, and then reads names by "
            f"datetime_string {wanted.datetime_string}",
            "leave datetime_string out",
            str(wanted.source_of("datetime_string")),
        )
    if set(".'") & set(table.schema + table.name):
        yield Obstacle(
            table.parent_table,
            "pg_partman takes no name with a dot or an apostrophe in it",
            f"alter table {quoted(table.schema, table.name)} rename to …;",
            place,
        )
    if wanted.epoch == "microseconds" and view.partman.is_4:
        yield Obstacle(
            table.parent_table,
            f"pg_partman {view.partman.version} knows no `epoch: microseconds`",
            "bring pg_partman to a version that knows it: partwarden upgrade-check",
            str(wanted.source_of("epoch")),
        )
    if wanted.template is False and view.partman.is_4 and table.parent_table not in view.managed:
        yield Obstacle(
            table.parent_table,
            f"pg_partman {view.partman.version} makes no set without a template table",
            "leave `template` out, or name a table",
            str(wanted.source_of("template")),
        )
    if table.key is not None and table.parent_table not in view.managed:
        taken = refuse_taken(view, wanted, table)
        if taken is not None:
            yield taken


def _other_key(table: Table) -> str:
    """What to do about a table that is partitioned by something else than the file says."""
    key = table.key or ()
    if len(key) != 1 or key[0] is None or table.strategy == "hash":
        return "leave it out: pg_partman takes tables that are partitioned by range or list of one column"
    return f"write `type: {table.strategy}` and `control: {written(key[0])}`, or name another table"
