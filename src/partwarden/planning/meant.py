"""Which tables the file means, by name and by pattern."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from partwarden.config import Database, PartitionSet
from partwarden.config.names import QualifiedName, qualified_name
from partwarden.database import quoted
from partwarden.nearest import nearest
from partwarden.planning.steps import Obstacle
from partwarden.planning.view import View
from partwarden.planning.wanted import levels


@dataclass(frozen=True)
class Meant:
    """A table that the file means."""

    wanted: PartitionSet
    table: QualifiedName


def meant(view: View, database: Database) -> Iterator[Meant | Obstacle | str]:
    """Every table that the file means, once; what can't be, and notes. Who is named goes before who only matches.

    A table that others take for their template matches no pattern.
    """
    taken: set[QualifiedName] = set()
    templates = _templates(view, database)
    for entry in sorted(database.partition_sets, key=lambda entry: entry.is_pattern):
        if entry.is_pattern:
            found = [name for name in sorted(view.tables) if entry.matches(name) and name.bare not in templates]
            if not found:
                yield f"{entry.source}: no table matches {', '.join(map(str, entry.tables))}"
        else:
            names = [qualified_name(each) for each in entry.tables]
            yield from (_missing(view, entry, name) for name in names if name not in view.tables)
            found = sorted(name for name in names if name in view.tables)
        for name in found:
            if name not in taken:
                taken.add(name)
                yield Meant(entry, name)


def _templates(view: View, database: Database) -> set[str]:
    """The names of template tables, of sets that are there and of those that the file describes."""
    named = {
        qualified_name(level.template).bare
        for entry in database.partition_sets
        for level, _ in levels(entry)
        if level.template
    }
    for managed in view.managed.values():
        named.add(managed.config["template_table"])
        if managed.sub is not None:
            named.add(managed.sub["sub_template_table"])
    return named


def _missing(view: View, entry: PartitionSet, name: QualifiedName) -> Obstacle:
    above = view.connection.execute(
        "select relispartition from pg_catalog.pg_class join pg_catalog.pg_namespace on pg_namespace.oid = relnamespace "
        "where nspname = %s and relname = %s",
        (name.schema, name.name),
    ).fetchone()
    if above == (True,):
        problem, remedy = f"{name} is a partition of another table", "name that, and say `sub` for its partitions"
    else:
        problem = f"there is no table {name}"
        remedy = f"create table {quoted(name.schema, name.name)} (…) partition by range ({quoted(entry.control)});"
        near = nearest(name.bare, [table.bare for table in view.tables])
        if near is not None:
            remedy = f"did you mean {near}? Otherwise {remedy}"
    return Obstacle(str(name), problem, remedy, str(entry.source))
