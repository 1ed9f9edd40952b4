-- concern: update-left-tables
-- uses: partman
-- why: an earlier attempt to update left its copies of the configuration, and the update to 5.0.0 makes tables of these
--      names
select
    '5.0.0'::text    as since,
    'critical'::text as severity,
    class.oid::regclass::text as object,
    'it is in the way of the update; look whether its rows are still needed' as what,
    array[format('drop table %s;', class.oid::regclass)] as before,
    '{}'::text[]     as after
from partman
join pg_namespace namespace on namespace.nspname = partman.schema
join pg_class class on class.relnamespace = namespace.oid
where class.relname in ('part_config_pre_500_data', 'part_config_sub_pre_500_data')
