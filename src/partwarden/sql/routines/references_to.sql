create function partwarden.references_to(p_parent regclass)
returns setof oid
language sql stable
set search_path = pg_catalog, pg_temp
as $$
-- The foreign keys that reference a partition set: its parent, those above it, or its default partition by itself. Not
-- those that PostgreSQL made of them for each partition.
select key.oid
from pg_constraint key
where key.contype = 'f'
  and key.conparentid = 0
  and (key.confrelid in (select relid from pg_partition_ancestors(p_parent))
       or key.confrelid in (
           select tree.relid
           from pg_partitioned_table
           cross join lateral pg_partition_tree(partdefid) tree
           where partrelid = p_parent and partdefid <> 0))
$$;
