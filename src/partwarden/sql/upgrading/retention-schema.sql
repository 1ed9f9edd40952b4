-- concern: retention-schema
-- uses: managed_parent
-- why: from pg_partman 5.5 on, retention moves a partition only into a schema that belongs to the owner of the partition.
--      Otherwise maintenance of the set fails each time, with a warning only, and it gets no new partitions
select
    '5.5.0'::text    as since,
    'critical'::text as severity,
    managed_parent.config ->> 'parent_table' as object,
    format('its retention moves partitions to schema %I, which belongs to %I and not to %I', target.nspname,
        pg_get_userbyid(target.nspowner), pg_get_userbyid(parent.relowner)) as what,
    array[format('alter schema %I owner to %I;', target.nspname, pg_get_userbyid(parent.relowner))] as before,
    '{}'::text[]     as after
from managed_parent
join pg_class parent on parent.oid = managed_parent.parent
join pg_namespace target on target.nspname = managed_parent.config ->> 'retention_schema'
where managed_parent.config ->> 'retention' is not null
  and target.nspowner <> parent.relowner
