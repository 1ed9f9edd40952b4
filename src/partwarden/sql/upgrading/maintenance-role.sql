-- concern: maintenance-role
-- uses: partman, part_config
-- why: pg_partman 5.5 has a column maintenance_role, for row-level security that somebody may want later. In rows that exist
--      it says who ran the update
select
    '5.5.0'::text as since,
    'note'::text  as severity,
    format('%I.part_config', partman.schema) as object,
    'maintenance_role says who ran the update; nothing but policies of yours reads it'::text as what,
    '{}'::text[]  as before,
    array[format('update %I.part_config set maintenance_role = tableowner from pg_catalog.pg_tables '
                 'where parent_table = schemaname || ''.'' || tablename;', partman.schema)] as after
from partman
cross join part_config
where not part_config.config ? 'maintenance_role'
group by partman.schema
