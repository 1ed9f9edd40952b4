"""What is to be done about one partition set."""

from __future__ import annotations

from collections.abc import Iterator

from partwarden.catalog import ManagedSet, Table
from partwarden.config import PartitionSet
from partwarden.config.names import qualified_name
from partwarden.database import quoted
from partwarden.planning.conversion import plan_conversion
from partwarden.planning.create import create
from partwarden.planning.default_partition import change_default, takes_no_default
from partwarden.planning.differences import compare, shown, undergone
from partwarden.planning.meant import Meant
from partwarden.planning.refusals import refused
from partwarden.planning.size import how_many
from partwarden.planning.steps import Action, Change, Danger, Kind, Obstacle, Step, Warned
from partwarden.planning.view import View
from partwarden.planning.writing import literal

_MANY = 1000
"""So many partitions made in one transaction take minutes, and a place each in the server's table of locks."""


def plan_set(view: View, one: Meant) -> Iterator[Step | Obstacle]:
    """What is to be done about one set, or why it can't be; nothing where it is as the file wants it."""
    wanted, table = one.wanted, view.tables[one.table]
    obstacles = list(refused(view, wanted, table))
    if obstacles:
        yield from obstacles
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


def _template(view: View, wanted: PartitionSet, table: Table) -> list[str]:
    """What makes the template table, where the file names one that is missing."""
    if not wanted.template:
        return []
    name = qualified_name(wanted.template)
    if name in view.tables:
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
    many = how_many(view, wanted, table)
    if many > _MANY:
        yield Warned(
            Danger.SLOW,
            f"makes some {many:,} partitions in one transaction; begin later (`start`), or see that "
            "max_locks_per_transaction x max_connections is more than that",
        )
    if table.partitions and wanted.retention and wanted.retention.keep is not None:
        what = undergone(wanted.retention.then or "detach")
        yield Warned(
            Danger.DESTRUCTIVE, f"partitions of {name} older than {wanted.retention.keep} are {what} by maintenance"
        )
