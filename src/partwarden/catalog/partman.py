"""pg_partman as it is installed, and the sets that it manages, whichever version it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from psycopg import sql

from partwarden.database import Connection, Server


@dataclass(frozen=True)
class Partman:
    """pg_partman in one database.

    ``columns`` and ``sub_columns`` are those of part_config and part_config_sub, ``arguments`` and ``sub_arguments`` those
    of create_parent() and create_sub_parent(). What it can be told is read from them: versions say what is not so
    (5.4.2 calls itself 5.4.1).
    """

    version: str
    schema: str
    columns: frozenset[str]
    sub_columns: frozenset[str]
    arguments: frozenset[str]
    sub_arguments: frozenset[str]

    @property
    def is_4(self) -> bool:
        """Whether it is pg_partman 4, which calls partitioning by range ``native``."""
        return "p_native_check" in self.sub_arguments


@dataclass(frozen=True)
class ManagedSet:
    """A partition set that pg_partman manages.

    ``parent_table`` is pg_partman's name, schema and table without quotes; ``config`` and ``sub`` are its rows of
    part_config and part_config_sub; ``oid`` is None where the table is gone; ``above`` is the managed set that it is a
    partition of.
    """

    parent_table: str
    config: Mapping[str, Any]
    sub: Mapping[str, Any] | None
    oid: int | None
    above: str | None


def read_partman(connection: Connection, server: Server) -> Partman | None:
    """pg_partman in the database that ``connection`` leads to, and ``server`` describes; None where it is not installed."""
    extension = server.extensions.get("pg_partman")
    if extension is None:
        return None
    row = connection.execute(
        """
        select
            array(select attname::text from pg_catalog.pg_attribute join pg_catalog.pg_class on pg_class.oid = attrelid
                  where relnamespace = namespace.oid and relname = 'part_config' and attnum > 0 and not attisdropped),
            array(select attname::text from pg_catalog.pg_attribute join pg_catalog.pg_class on pg_class.oid = attrelid
                  where relnamespace = namespace.oid and relname = 'part_config_sub' and attnum > 0 and not attisdropped),
            array(select unnest(proargnames) from pg_catalog.pg_proc
                  where pronamespace = namespace.oid and proname = 'create_parent'),
            array(select unnest(proargnames) from pg_catalog.pg_proc
                  where pronamespace = namespace.oid and proname = 'create_sub_parent')
        from pg_catalog.pg_namespace namespace where nspname = %s
        """,
        (extension.schema,),
    ).fetchone()
    assert row is not None
    return Partman(extension.version, extension.schema, *map(frozenset, row))


def managed_sets(connection: Connection, partman: Partman) -> dict[str, ManagedSet]:
    """Every set that pg_partman is configured for, by its name of it."""
    rows = connection.execute(
        sql.SQL(
            """
            with configured as (
                select config.parent_table, to_jsonb(config) as config, parent.oid
                from {config} config
                left join pg_catalog.pg_namespace namespace
                    on namespace.nspname = split_part(config.parent_table, '.', 1)::name
                left join pg_catalog.pg_class parent
                    on parent.relnamespace = namespace.oid
                   and parent.relname = split_part(config.parent_table, '.', 2)::name
            )
            select configured.parent_table, configured.config, to_jsonb(sub), configured.oid, above.parent_table
            from configured
            left join {sub} sub on sub.sub_parent = configured.parent_table
            left join pg_catalog.pg_inherits on inhrelid = configured.oid
            left join configured above on above.oid = inhparent
            order by configured.parent_table
            """
        ).format(
            config=sql.Identifier(partman.schema, "part_config"), sub=sql.Identifier(partman.schema, "part_config_sub")
        )
    ).fetchall()
    return {row[0]: ManagedSet(*row) for row in rows}


def one_below(managed: Mapping[str, ManagedSet], parent_table: str) -> ManagedSet | None:
    """One of the sets that are partitions of this one; they are alike. None where its partitions are no sets."""
    return next((each for each in managed.values() if each.above == parent_table), None)
