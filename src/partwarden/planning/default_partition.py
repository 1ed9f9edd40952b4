"""The default partition: added, taken away, or kept where pg_partman would make one of its own."""

from __future__ import annotations

from dataclasses import dataclass

from partwarden.catalog import Partman, Table
from partwarden.config import PartitionSet
from partwarden.config.names import QualifiedName
from partwarden.database import quoted
from partwarden.planning.steps import Danger, Obstacle, Warned
from partwarden.planning.view import View, has_table
from partwarden.planning.writing import do, literal

_SUFFIX = "_default"
_LONGEST = 63
_ASIDE = "partwarden_default_put_aside"


@dataclass(frozen=True)
class DefaultChange:
    """What adds or takes away a default partition, and what a person should know before."""

    statements: tuple[str, ...]
    warned: Warned


def takes_no_default(partman: Partman) -> bool:
    """Whether pg_partman can be told to make no default partition; version 4 makes one, also where there is one already."""
    return "p_default_table" in partman.arguments


def change_default(view: View, wanted: PartitionSet, table: Table) -> DefaultChange | Obstacle | None:
    """What gives the set the default partition that the file says it has, or takes it away; None where all is as it says."""
    if wanted.default is None or wanted.default == (table.default_partition is not None):
        return None
    return _add(view, wanted, table) if table.default_partition is None else _remove(view, wanted, table)


def refuse_taken(view: View, wanted: PartitionSet, table: Table) -> Obstacle | None:
    """Why pg_partman can't make a default partition where it would: something else is called so."""
    assert view.partman is not None
    if takes_no_default(view.partman) and (table.default_partition is not None or wanted.default is False):
        return None
    return _taken(view, wanted, table, _name(table, is_4=view.partman.is_4))


def _taken(view: View, wanted: PartitionSet, table: Table, name: QualifiedName) -> Obstacle | None:
    if name == table.default_partition or not has_table(view.connection, quoted(name.schema, name.name)):
        return None
    return Obstacle(
        table.parent_table,
        f"its default partition would be called {name}, and something else is called so",
        f"alter table {quoted(name.schema, name.name)} rename to …;",
        str(wanted.source_of("default")),
    )


def put_aside(table: Table, default: QualifiedName) -> tuple[list[str], list[str]]:
    """What takes the default partition out of the set, and what puts it back in the place of the one made meanwhile."""
    parent, name = quoted(table.schema, table.name), quoted(default.schema, default.name)
    return [
        f"alter table {parent} detach partition {name};",
        f"alter table {name} rename to {_ASIDE};",
    ], [
        do(
            "begin execute format('drop table %s', (select partdefid::regclass from pg_partitioned_table "
            f"where partrelid = {literal(parent)}::regclass)); end"
        ),
        f"alter table {quoted(default.schema, _ASIDE)} rename to {quoted(default.name)};",
        f"alter table {parent} attach partition {name} default;",
    ]


def _add(view: View, wanted: PartitionSet, table: Table) -> DefaultChange | Obstacle:
    name, made = quoted(table.schema, table.name), _name(table, is_4=False)
    taken = _taken(view, wanted, table, made)
    if taken is not None:
        return taken
    default = quoted(made.schema, made.name)
    return DefaultChange(
        (
            (
                f"create table {default} (like {name} including comments including compression including constraints "
                "including defaults including generated including statistics including storage);"
            ),
            f"alter table {name} attach partition {default} default;",
        ),
        Warned(Danger.LOCKING, f"locks {name} for a moment; its partitions can be read and written"),
    )


def _remove(view: View, wanted: PartitionSet, table: Table) -> DefaultChange | Obstacle:
    assert table.default_partition is not None
    name = quoted(table.schema, table.name)
    default = quoted(table.default_partition.schema, table.default_partition.name)
    if view.has_rows(default):
        return Obstacle(
            table.parent_table,
            f"its default partition {default} can't go, because it has rows",
            f"partwarden drain {table.parent_table}",
            str(wanted.source_of("default")),
        )
    return DefaultChange(
        (
            f"lock table {name} in access exclusive mode;",
            refuse_rows(f"select {literal(default)}"),
            f"drop table {default};",
        ),
        Warned(Danger.DESTRUCTIVE, f"drops the empty default partition {default}, and locks {name}"),
    )


def refuse_rows(tables: str) -> str:
    """What raises an error when one of the tables whose names a SELECT gives has got rows since the plan was made."""
    return do(
        "declare v_table text; v_any boolean; begin "
        f"for v_table in {tables} loop "
        "execute 'select exists (select from ' || v_table || ')' into v_any; "
        "if v_any then raise exception '% has got rows meanwhile', v_table; end if; end loop; end"
    )


def _name(table: Table, *, is_4: bool) -> QualifiedName:
    """The name that pg_partman gives to a default partition: 5 cuts the table's name by bytes, 4 by characters."""
    name = table.name
    if is_4:
        name = name if len(name) + len(_SUFFIX) < _LONGEST else name[: _LONGEST - len(_SUFFIX)]
    else:
        name = _cut(name, _LONGEST - len(_SUFFIX))
    return QualifiedName(table.schema, _cut(name + _SUFFIX, _LONGEST))


def _cut(name: str, size: int) -> str:
    return name.encode()[:size].decode(errors="ignore")
