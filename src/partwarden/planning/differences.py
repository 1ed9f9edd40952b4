"""What differs between a set as it is managed and as the file wants it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from partwarden.catalog import LENGTHS, ManagedSet, Table, fate_of_old, one_below
from partwarden.config import PartitionSet, SubPartition
from partwarden.database import quoted
from partwarden.planning.create import configure_sub, create_sub
from partwarden.planning.default_partition import DefaultChange, change_default, refuse_rows
from partwarden.planning.steps import Change, Danger, Obstacle, Warned
from partwarden.planning.view import View
from partwarden.planning.wanted import FIXED, Wanted, in_partmans_words
from partwarden.planning.writing import literal, update


class Difference:
    """What is to be done about one set, gathered bit by bit."""

    def __init__(self) -> None:
        self.changes: list[Change] = []
        self.statements: list[str] = []
        self.warnings: list[Warned] = []
        self.obstacles: list[Obstacle] = []


def compare(view: View, wanted: PartitionSet, managed: ManagedSet, table: Table) -> Difference:
    """All that differs; nothing is said of keys that the file leaves out."""
    assert view.partman is not None
    found = Difference()
    words = in_partmans_words(wanted, view.partman)
    changed = _changed(view, words, managed.config)
    _refuse_fixed(found, wanted, words, changed, managed.config, managed.parent_table)
    _note_retention(view, found, managed.config, changed, managed.parent_table)
    _note(found, words, changed, managed.config, "")
    if changed:
        config = f"{quoted(view.partman.schema)}.part_config"
        found.statements.append(update(config, changed, f"parent_table = {literal(managed.parent_table)}"))
    match change_default(view, wanted, table):
        case Obstacle() as obstacle:
            found.obstacles.append(obstacle)
        case DefaultChange() as change:
            found.changes.append(Change("default", shown(not wanted.default), shown(wanted.default)))
            found.warnings.append(change.warned)
            found.statements += change.statements
    if wanted.sub is not None:
        _compare_sub(view, found, wanted, wanted.sub, managed, table, 1)
    return found


def _compare_sub(
    view: View,
    found: Difference,
    top: PartitionSet,
    wanted: SubPartition,
    above: ManagedSet,
    table: Table,
    level: int,
) -> None:
    assert view.partman is not None
    prefix = "sub." * level
    if above.sub is None:
        _partition_partitions(view, found, top, wanted, table, level)
        return
    words = in_partmans_words(wanted, view.partman)
    actual = {name.removeprefix("sub_"): value for name, value in above.sub.items()}
    changed = _changed(view, words, actual)
    _refuse_fixed(found, top, words, changed, actual, table.parent_table, prefix=prefix)
    _note_retention(view, found, actual, changed, table.parent_table, prefix=prefix)
    _note(found, words, changed, actual, prefix)
    if changed:
        found.statements += configure_sub(view, replace(words, rest=changed), table, level)
    below = one_below(view.managed, above.parent_table)
    if wanted.sub is not None and below is not None:
        _compare_sub(view, found, top, wanted.sub, below, table, level + 1)


def _partition_partitions(
    view: View, found: Difference, top: PartitionSet, wanted: SubPartition, table: Table, level: int
) -> None:
    """Have the partitions be partitioned, for which pg_partman drops them: so none of them may hold a row."""
    name = quoted(table.schema, table.name)
    leaves = (
        f"select format('%I.%I', nspname, relname) from pg_partition_tree({literal(name)}) tree "
        "join pg_class on pg_class.oid = tree.relid join pg_namespace on pg_namespace.oid = relnamespace "
        "join pg_inherits on inhrelid = pg_class.oid "
        "join pg_partitioned_table on partrelid = inhparent and partdefid <> inhrelid "
        f"where tree.level = {level} and tree.isleaf"
    )
    names = [leaf for (leaf,) in view.connection.execute(leaves.encode()).fetchall()]
    full = next((leaf for leaf in names if view.has_rows(leaf)), None)
    if full is not None:
        found.obstacles.append(
            Obstacle(
                table.parent_table,
                f"its partitions can't be partitioned themselves, because pg_partman would drop them, and {full} has rows",
                "leave out `sub`, or make a new set that has it and move the rows",
                str(top.source_of("sub")),
            )
        )
        return
    found.changes.append(Change("sub." * level + "interval", None, f"{wanted.interval} by {wanted.control}"))
    found.warnings.append(
        Warned(Danger.DESTRUCTIVE, f"drops {len(names)} empty partitions, and makes them anew, partitioned themselves")
    )
    found.statements += [
        f"lock table {name} in access exclusive mode;",
        refuse_rows(leaves),
        *create_sub(view, wanted, table, level),
    ]


def _changed(view: View, words: Wanted, actual: Mapping[str, Any]) -> dict[str, Any]:
    """The columns that are to be another value, with that value."""
    return {
        column: value
        for column, value in words.columns.items()
        if column in actual and _comparable(view, column, value) != _comparable(view, column, actual[column])
    }


def _comparable(view: View, column: str, value: Any) -> Any:
    return view.length(value) if column in LENGTHS else value


def _refuse_fixed(
    found: Difference,
    wanted: PartitionSet,
    words: Wanted,
    changed: dict[str, Any],
    actual: Mapping[str, Any],
    parent: str,
    *,
    prefix: str = "",
) -> None:
    for column in [column for column in changed if words.keys[column] in FIXED]:
        key = words.keys[column]
        found.obstacles.append(
            Obstacle(
                parent,
                f"{prefix}{key} is {shown(actual[column])}, which its partitions stand for, and can't become "
                f"{shown(changed.pop(column))}",
                f"write `{key}: {shown(actual[column])}`; another one takes a new set, and moving the rows",
                str(wanted.source_of("sub" if prefix else key)),
            )
        )


def _note_retention(
    view: View,
    found: Difference,
    actual: Mapping[str, Any],
    changed: Mapping[str, Any],
    parent: str,
    *,
    prefix: str = "",
) -> None:
    """Say when partitions would go that would have stayed, or would be gone for good that would have been kept."""
    after = {**actual, **changed}
    keep, before = view.length(after["retention"]), view.length(actual["retention"])
    fate = fate_of_old(after)
    if keep is not None and keep != before and view.is_shorter(keep, before):
        found.warnings.append(
            Warned(
                Danger.DESTRUCTIVE,
                f"{prefix}partitions of {parent} older than {after['retention']} are {undergone(fate)} by the next "
                f"maintenance; until now they were kept {'for ever' if before is None else 'for ' + actual['retention']}",
            )
        )
    elif keep is not None and fate == "drop" != fate_of_old(actual):
        found.warnings.append(
            Warned(Danger.DESTRUCTIVE, f"{prefix}old partitions of {parent} are dropped from now on, with their rows")
        )


def _note(found: Difference, words: Wanted, changed: Mapping[str, Any], actual: Mapping[str, Any], prefix: str) -> None:
    for column, value in changed.items():
        if words.keys[column] != "retention.then":
            found.changes.append(Change(prefix + words.keys[column], shown(actual[column]), shown(value)))
    if "retention.then" in {words.keys[column] for column in changed}:
        found.changes.append(Change(prefix + "retention.then", fate_of_old(actual), fate_of_old({**actual, **changed})))


def undergone(fate: str) -> str:
    """What is done to old partitions whose fate, in the file's words, this is."""
    return {"detach": "detached", "drop": "dropped"}.get(fate, "moved")


def shown(value: Any) -> str | None:
    """A value as a person reads it."""
    match value:
        case None:
            return None
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(map(str, value))
        case _:
            return str(value)
