"""Tables that are, or may become, partition sets."""

from __future__ import annotations

from dataclasses import dataclass

from partwarden.config.names import QualifiedName
from partwarden.database import Connection


@dataclass(frozen=True)
class Table:
    """A table that is nobody's partition.

    ``key`` names the columns that it is partitioned by, in their order, with None for an expression; it is None where the
    table is not partitioned. ``strategy`` is range, list or hash. ``default_partition`` may be in another schema. ``is_ours``:
    the role that looks may do what its owner may.
    """

    oid: int
    schema: str
    name: str
    strategy: str | None
    key: tuple[str | None, ...] | None
    partitions: int
    default_partition: QualifiedName | None
    is_ours: bool

    @property
    def parent_table(self) -> str:
        """The name that pg_partman would give it."""
        return QualifiedName(self.schema, self.name).bare


def read_tables(connection: Connection) -> dict[QualifiedName, Table]:
    """All permanent tables that are no partitions, by name; not partwarden's, nor those of an extension."""
    rows = connection.execute(
        """
        select
            pg_class.oid, nspname, relname,
            case partstrat when 'r' then 'range' when 'l' then 'list' when 'h' then 'hash' end,
            case when partrelid is not null then array(
                select attname::text
                from unnest(partattrs) with ordinality as part (number, place)
                left join pg_catalog.pg_attribute on attrelid = partrelid and attnum = part.number and part.number > 0
                order by place) end,
            (select count(*) from pg_catalog.pg_inherits where partrelid is not null and inhparent = pg_class.oid),
            (select array[nspname::text, relname::text] from pg_catalog.pg_class child
             join pg_catalog.pg_namespace on pg_namespace.oid = relnamespace where child.oid = nullif(partdefid, 0)),
            pg_has_role(relowner, 'usage')
        from pg_catalog.pg_class
        join pg_catalog.pg_namespace on pg_namespace.oid = relnamespace
        left join pg_catalog.pg_partitioned_table on partrelid = pg_class.oid
        where relkind in ('r', 'p') and relpersistence <> 't' and not relispartition
          and nspname !~ '^(pg_|information_schema$|partwarden$)'
          and not exists (select from pg_catalog.pg_depend
                          where classid = 'pg_catalog.pg_class'::regclass and objid = pg_class.oid and deptype = 'e')
        """
    ).fetchall()
    return {
        QualifiedName(schema, name): Table(
            oid,
            schema,
            name,
            strategy,
            None if key is None else tuple(key),
            partitions,
            None if default is None else QualifiedName(*default),
            is_ours,
        )
        for oid, schema, name, strategy, key, partitions, default, is_ours in rows
    }
