"""The partition sets of one database: which tables the file means, and what is to be done about each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from partwarden.catalog import ManagedSet, Table
from partwarden.config import Database, PartitionSet, SubPartition
from partwarden.config.names import QualifiedName, qualified_name, written
from partwarden.database import quoted
from partwarden.nearest import nearest
from partwarden.planning.conversion import plan_conversion
from partwarden.planning.create import create
from partwarden.planning.default_partition import change_default, refuse_taken, takes_no_default
from partwarden.planning.differences import compare, shown
from partwarden.planning.steps import Action, Change, Danger, Kind, Obstacle, Step, Warned
from partwarden.planning.view import View
from partwarden.planning.wanted import in_partmans_words
from partwarden.planning.writing import literal

_MANY = 1000
"""So many partitions made in one transaction take minutes, and a place each in the server's table of locks."""


@dataclass(frozen=True)
class Meant:
    """A table that the file means."""

    wanted: PartitionSet
    table: QualifiedName


def meant(view: View, database: Database) -> Iterator[Meant | Obstacle | str]:
    """Every table that the file means, once; what can't be, and notes. Who is named goes before who only matches.

    A table that others take for their template matches no pattern.
    """
    taken: set[tuple[str, str]] = set()
    templates = _templates(view, database)
    for entry in sorted(database.partition_sets, key=lambda entry: entry.is_pattern):
        found = [QualifiedName(*name) for name in sorted(view.tables) if entry.matches(QualifiedName(*name))]
        if entry.is_pattern:
            found = [table for table in found if f"{table.schema}.{table.name}" not in templates]
        if not entry.is_pattern:
            there = {(each.schema, each.name) for each in found}
            for name in map(qualified_name, entry.tables):
                if (name.schema, name.name) not in there:
                    yield _missing(view, entry, name)
        elif not found:
            yield f"{entry.source}: no table matches {', '.join(map(str, entry.tables))}"
        for table in found:
            if (table.schema, table.name) not in taken:
                taken.add((table.schema, table.name))
                yield Meant(entry, table)


def _templates(view: View, database: Database) -> set[str]:
    """The names of template tables, of sets that are there and of those that the file describes."""
    named = {
        f"{name.schema}.{name.name}"
        for entry in database.partition_sets
        for level, _ in _levels(entry)
        if level.template
        for name in [qualified_name(level.template)]
    }
    for managed in view.managed.values():
        named.add(managed.config["template_table"])
        if managed.sub is not None:
            named.add(managed.sub["sub_template_table"])
    return named


def plan_set(view: View, one: Meant) -> Iterator[Step | Obstacle]:
    """What is to be done about one set, or why it can't be; nothing where it is as the file wants it."""
    wanted, table = one.wanted, view.tables[one.table.schema, one.table.name]
    refused = list(_refused(view, wanted, table))
    if refused:
        yield from refused
        return
    managed = view.managed.get(table.parent_table)
    if table.key is None:
        yield from _plain_table(view, wanted, table)
    elif managed is None:
        yield _new_set(view, wanted, table)
    else:
        yield from _changed_set(view, wanted, managed, table)


def _plain_table(view: View, wanted: PartitionSet, table: Table) -> Iterator[Step | Obstacle]:
    if wanted.convert:
        yield from plan_conversion(view, wanted, table)
        return
    yield Obstacle(
        table.parent_table,
        "it is a plain table, not a partitioned one",
        "write `convert: true`, to have it made a partition set while everybody goes on reading and writing",
        str(wanted.source),
    )


def _new_set(view: View, wanted: PartitionSet, table: Table) -> Step | Obstacle:
    if not table.is_ours:
        return Obstacle(
            table.parent_table,
            f"role {view.server.user} is not its owner, and can't have partitions made",
            "connect as its owner, or have that role granted",
            str(wanted.source),
        )
    statements = create(view, wanted, table)
    if isinstance(statements, Obstacle):
        return statements
    no_default = change_default(view, wanted, table) if wanted.default is False else None
    if isinstance(no_default, Obstacle):
        return no_default
    removal, warned = ((), ()) if no_default is None else (no_default.statements, (no_default.warned,))
    changes, policy = _policy(view, wanted, table)
    what = f"adopt its {table.partitions} partitions" if table.partitions else "make partitions"
    return Step(
        Kind.SET,
        Action.ADD,
        table.parent_table,
        f"{what}, {wanted.interval} by {wanted.control}",
        (*_template(view, wanted, table), *removal, *statements, *policy),
        tuple(changes),
        (*_new_warnings(view, wanted, table), *warned),
        parent=table.oid,
    )


def _changed_set(view: View, wanted: PartitionSet, managed: ManagedSet, table: Table) -> Iterator[Step | Obstacle]:
    difference = compare(view, wanted, managed, table)
    if difference.obstacles:
        yield from difference.obstacles
        return
    changes, policy = _policy(view, wanted, table)
    if difference.changes or changes:
        yield Step(
            Kind.SET,
            Action.CHANGE,
            table.parent_table,
            "",
            (*_template(view, wanted, table), *difference.statements, *policy),
            (*difference.changes, *changes),
            tuple(difference.warnings),
            parent=table.oid,
        )


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
        near = nearest(f"{name.schema}.{name.name}", [f"{schema}.{table}" for schema, table in view.tables])
        if near is not None:
            remedy = f"did you mean {near}? Otherwise {remedy}"
    return Obstacle(str(name), problem, remedy, str(entry.source))


def _refused(view: View, wanted: PartitionSet, table: Table) -> Iterator[Obstacle]:
    """What the file asks for that this table, or this pg_partman, can't be."""
    assert view.partman is not None
    place = str(wanted.source)
    for entry, prefix in _levels(wanted):
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


def _levels(wanted: PartitionSet) -> Iterator[tuple[PartitionSet, str]]:
    entry, prefix = wanted, ""
    while entry is not None:
        yield entry, prefix
        entry, prefix = entry.sub, prefix + "sub."  # type: ignore[assignment]


def _template(view: View, wanted: PartitionSet, table: Table) -> list[str]:
    """What makes the template table, where the file names one that is missing."""
    if not wanted.template:
        return []
    name = qualified_name(wanted.template)
    if (name.schema, name.name) in view.tables:
        return []
    # Several new sets may share it: the first of them makes it.
    like = quoted(table.schema, table.name)
    return [f"create table if not exists {quoted(name.schema, name.name)} (like {like});"]


def _policy(view: View, wanted: PartitionSet, table: Table) -> tuple[list[Change], list[str]]:
    """What maintenance may repair in this set."""
    actual = view.policies.get(table.parent_table)
    if wanted.repair is None or wanted.repair == actual:
        return [], []
    statement = (
        f"insert into partwarden.set_policy (parent_table, repair) values ({literal(table.parent_table)}, "
        f"{literal(wanted.repair)}) on conflict (parent_table) do update set repair = excluded.repair;"
    )
    return [Change("repair", actual, shown(wanted.repair))], [statement]


def _new_warnings(view: View, wanted: PartitionSet, table: Table) -> Iterator[Warned]:
    name = quoted(table.schema, table.name)
    yield Warned(Danger.LOCKING, f"locks {name} exclusively while its partitions are made")
    assert view.partman is not None
    if table.default_partition is not None and not takes_no_default(view.partman):
        yield Warned(Danger.SLOW, f"reads the default partition of {name} under that lock")
    many = _how_many(view, wanted, table)
    if many > _MANY:
        yield Warned(
            Danger.SLOW,
            f"makes some {many:,} partitions in one transaction; begin later (`start`), or see that "
            "max_locks_per_transaction x max_connections is more than that",
        )
    if table.partitions and wanted.retention and wanted.retention.keep is not None:
        what = {"drop": "dropped", "move": "moved"}.get(wanted.retention.then or "", "detached")
        yield Warned(
            Danger.DESTRUCTIVE, f"partitions of {name} older than {wanted.retention.keep} are {what} by maintenance"
        )


def _how_many(view: View, wanted: PartitionSet, table: Table) -> int:
    """About how many partitions are made at first; where they are partitioned themselves, how many of those."""
    around = _around_now(wanted)
    if wanted.start is None or table.partitions or wanted.interval.isdigit():
        many = around
    else:
        many = _ratio(view, "now() - %s::timestamptz", wanted.start, wanted.interval) + around
    above = wanted.interval
    for level, _ in _levels(wanted):
        if level is wanted:
            continue
        by_time = not (above.isdigit() or level.interval.isdigit())
        many *= _ratio(view, "%s::interval", above, level.interval) if by_time else _around_now(level)
        above = level.interval
    return many


def _around_now(wanted: PartitionSet | SubPartition) -> int:
    return 2 * (4 if wanted.premake is None else wanted.premake) + 1


def _ratio(view: View, length: str, of: str, interval: str) -> int:
    row = view.connection.execute(
        f"select greatest(ceil(extract(epoch from {length}) / extract(epoch from %s::interval)), 1)::bigint".encode(),
        (of, interval),
    ).fetchone()
    assert row is not None
    return int(row[0])
