-- relation: unmanaged_parent
-- uses: managed_parent
-- empty: select null::oid as parent, null::jsonb as config where false
-- why: the partitioned tables that pg_partman is not configured for
select partitioned.partrelid as parent, null::jsonb as config
from pg_catalog.pg_partitioned_table partitioned
join pg_catalog.pg_class parent on parent.oid = partitioned.partrelid
join pg_catalog.pg_namespace namespace on namespace.oid = parent.relnamespace
where namespace.nspname !~ '^(pg_|information_schema$)'
  and parent.relpersistence <> 't'
  and parent.relname !~ '^partwarden_drain_\d+_stage$'
  and not exists (select from managed_parent where managed_parent.parent = partitioned.partrelid)
