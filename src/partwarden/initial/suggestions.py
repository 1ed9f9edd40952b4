"""Sets that nobody manages, as entries that somebody may want: with the interval that their partitions have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from partwarden.catalog import Table
from partwarden.config.names import QualifiedName, written
from partwarden.initial.entries import in_words
from partwarden.initial.found import Found
from partwarden.initial.layout import Value


def suggest(found: Found) -> Iterator[tuple[str, Mapping[str, Value]]]:
    """Each with a sentence, and with its entry where pg_partman can have one."""
    for name, table in sorted(found.tables.items()):
        if table.key is None or name.bare in found.managed:
            continue
        yield _suggestion(found, table)


def _suggestion(found: Found, table: Table) -> tuple[str, Mapping[str, Value]]:
    name = str(QualifiedName(table.schema, table.name))
    width = found.widths.get(table.oid)
    assert table.key is not None
    by = f"by {table.strategy} of {', '.join(column or 'an expression' for column in table.key)}"
    bounded = table.partitions - (table.default_partition is not None)
    has = f"{bounded} partition{'' if bounded == 1 else 's'}"
    if len(table.key) != 1 or table.key[0] is None or table.strategy == "hash":
        return f"{name} is partitioned {by}: pg_partman can't make partitions like that.", {}
    if table.strategy == "list" and found.partman is not None and found.partman.is_4:
        return f"{name} is partitioned {by}: pg_partman 4 can't make partitions like that.", {}
    keys: dict[str, Value] = {"table": name, "control": written(table.key[0])}
    if table.strategy == "list":
        return f"Nobody manages {name}, which is partitioned {by}: {has}.", {**keys, "interval": "1", "type": "list"}
    if width is None:
        return (
            f"Nobody manages {name}, which is partitioned {by}: {has}. How wide they are to be is for you to say.",
            {**keys, "interval": "1 day"},
        )
    text = f"Nobody manages {name}: {has}, the last one ends at {width.last_upper}. With this entry pg_partman goes on:"
    return text, {**keys, "interval": in_words(width.most)}
