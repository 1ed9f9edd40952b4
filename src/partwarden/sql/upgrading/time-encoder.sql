-- concern: time-encoder
-- uses: part_config, part_config_sub, partman
-- why: from 5.4.1 on, maintenance looks for routines in pg_partman's schema and pg_catalog only, and from 5.5 on it quotes
--      their names itself: they have to be written as schema.name, without quotes
select
    case when found.value like '%"%' then '5.5.0' else '5.4.1' end as since,
    'critical'::text as severity,
    found.object,
    format('%s = %L is not found any more', found.column_name, found.value) as what,
    '{}'::text[]     as before,
    array[format('update %I.%I set %I = %L where %I = %L;', partman.schema, found.table_name, found.column_name,
        namespace.nspname || '.' || proc.proname, found.key, found.object)] as after
from (
    select 'part_config', 'parent_table', name, config ->> 'parent_table', config ->> name
    from part_config cross join unnest(array['time_encoder', 'time_decoder']) name
    union all
    select 'part_config_sub', 'sub_parent', name, config ->> 'sub_parent', config ->> name
    from part_config_sub cross join unnest(array['sub_time_encoder', 'sub_time_decoder']) name
) found (table_name, key, column_name, object, value)
cross join partman
cross join lateral (
    -- A name without a schema is looked for along the path that whoever maintains has.
    select coalesce(to_regproc(found.value), (
        select min(proc.oid) from pg_proc proc
        where proc.proname = btrim(found.value, '"') and proc.pronamespace <> 'pg_catalog'::regnamespace)) as oid
) routine
join pg_proc proc on proc.oid = routine.oid
join pg_namespace namespace on namespace.oid = proc.pronamespace
where found.value <> namespace.nspname || '.' || proc.proname
  and not (found.value = proc.proname and namespace.nspname in ('pg_catalog', partman.schema))
