-- concern: columns-gone
-- uses: partman, given
-- why: the column, or the table, is not there any more
select
    min(dropped.since) as since,
    'warning'::text    as severity,
    named.object,
    format('it reads %s', string_agg(distinct coalesce(dropped.part, dropped.name), ', ')) as what,
    '{}'::text[]       as before,
    '{}'::text[]       as after
from (
    select format('%s %s', identified.type, identified.identity), proc.prosrc
    from pg_proc proc
    join pg_namespace namespace on namespace.oid = proc.pronamespace
    cross join lateral pg_identify_object('pg_proc'::regclass, proc.oid, 0) identified
    where namespace.nspname not in ('pg_catalog', 'information_schema', 'partwarden')
      and not exists (select from pg_depend where classid = 'pg_proc'::regclass and objid = proc.oid and deptype = 'e')
      and proc.prosrc ~* '\m(part_config|part_config_sub|custom_time_partitions)\M'
    union all
    select format('view %I.%I', namespace.nspname, class.relname), pg_get_viewdef(class.oid)
    from pg_class class
    join pg_namespace namespace on namespace.oid = class.relnamespace
    where class.relkind in ('v', 'm')
      and namespace.nspname not in ('pg_catalog', 'information_schema')
      and exists (
          select from pg_rewrite rewrite
          join pg_depend depend on depend.classid = 'pg_rewrite'::regclass and depend.objid = rewrite.oid
          join pg_class read on depend.refclassid = 'pg_class'::regclass and read.oid = depend.refobjid
          join pg_namespace read_namespace on read_namespace.oid = read.relnamespace
          join partman on partman.schema = read_namespace.nspname
          where rewrite.ev_class = class.oid
            and read.relname in ('part_config', 'part_config_sub', 'custom_time_partitions'))
) named (object, source)
cross join given
join jsonb_to_recordset(given.fact -> 'dropped') dropped (kind text, name text, part text, since text, is_gone boolean)
    on dropped.is_gone and dropped.kind in ('table', 'column')
    and named.source ~* ('\m' || coalesce(dropped.part, dropped.name) || '\M')
    and named.source ~* ('\m' || dropped.name || '\M')
group by named.object
