-- concern: trigger-path
-- uses: managed_parent
-- why: from 5.4.1 on, partition_data_…() and undo_partition() run with a search_path of pg_partman's schema and pg_catalog.
--      Triggers that fire on the rows they move have it too, and fail on names without a schema
select
    '5.4.1'::text as since,
    'note'::text  as severity,
    format('function %s', proc.oid::regprocedure) as object,
    format('a trigger function without a search_path of its own, on %s', string_agg(distinct parent.oid::regclass::text, ', '))
                  as what,
    '{}'::text[]  as before,
    array[format('alter function %s set search_path = %I, pg_temp;', proc.oid::regprocedure,
        (select nspname from pg_namespace where oid = proc.pronamespace))] as after
from managed_parent
join pg_class parent on parent.oid = managed_parent.parent
join pg_trigger trigger on trigger.tgrelid = parent.oid and not trigger.tgisinternal
    -- for each row
    and trigger.tgtype & 1 = 1
join pg_proc proc on proc.oid = trigger.tgfoid
join pg_language language on language.oid = proc.prolang and language.lanname not in ('c', 'internal')
where coalesce(array_to_string(proc.proconfig, ' '), '') not like '%search_path%'
group by proc.oid
