-- concern: names-by-week-or-quarter
-- uses: managed_parent, part_config, partition_bound, partman
-- why: pg_partman 5 names partitions by date. Its maintenance refuses a set whose partitions are named by ISO week or by
--      quarter until they have been renamed and datetime_string says so; up to 5.4 all sets after it are not maintained
--      either
with by_week_or_quarter as (
    select
        managed_parent.parent,
        managed_parent.config ->> 'parent_table' as parent_table,
        namespace.nspname                        as schema_name,
        parent.relname                           as table_name
    from managed_parent
    join pg_class parent on parent.oid = managed_parent.parent
    join pg_namespace namespace on namespace.oid = parent.relnamespace
    where managed_parent.config ->> 'datetime_string' in ('YYYY"q"Q', 'IYYY"w"IW')
), child as (
    select
        found.parent,
        child_namespace.nspname as schema_name,
        child.relname           as old_name,
        to_char(case when by_week.parts is not null
                     then to_date(by_week.parts[1] || by_week.parts[2], 'IYYYIW')
                     when by_quarter.parts is not null
                     then make_date(by_quarter.parts[1]::integer, by_quarter.parts[2]::integer * 3 - 2, 1)
                     -- pg_partman 4 counts characters, and PostgreSQL cuts bytes: the end of a long name may be lost.
                     else (bound.lower_at + interval '12 hours')::date
                end, '"_p"YYYYMMDD') as suffix,
        found.table_name
    from by_week_or_quarter found
    join partition_bound bound on bound.parent = found.parent
    join pg_class child on child.oid = bound.child
    join pg_namespace child_namespace on child_namespace.oid = child.relnamespace
    -- The old name says the date, whatever time zone the bounds were made in.
    cross join lateral (select regexp_match(child.relname, '_p(\d{4})w(\d\d)$') as parts) by_week
    cross join lateral (select regexp_match(child.relname, '_p(\d{4})q([1-4])$') as parts) by_quarter
    where child.relname !~ '_p\d{8}$'
), renamed as (
    select
        child.*,
        -- As check_name_length() of pg_partman 5 does: the whole suffix, and of the table's name as many bytes as fit.
        case when octet_length(child.table_name || child.suffix) <= 63 then child.table_name || child.suffix
             else substr((child.suffix || child.table_name)::name::text, length(child.suffix) + 1) || child.suffix
        end as new_name
    from child
), statements as (
    select renamed.parent, array_agg(step.statement order by renamed.old_name, step.number) as list
    from renamed
    cross join partman
    cross join lateral (
        select 1, format('alter table %I.%I rename to %I;', renamed.schema_name, renamed.old_name, renamed.new_name)
        union all
        select 2, format('update %I.part_config set parent_table = %L where parent_table = %L;', partman.schema,
            renamed.schema_name || '.' || renamed.new_name, renamed.schema_name || '.' || renamed.old_name)
        where exists (select from part_config
                      where part_config.config ->> 'parent_table' = renamed.schema_name || '.' || renamed.old_name)
    ) step (number, statement)
    group by renamed.parent
)
select
    '5.0.0'::text                        as since,
    'critical'::text                     as severity,
    by_week_or_quarter.parent_table      as object,
    format('its partitions are named by week or quarter; %s to rename', coalesce(cardinality(statements.list), 0)) as what,
    '{}'::text[]                         as before,
    coalesce(statements.list, '{}') || format('update %I.part_config set datetime_string = %L where parent_table = %L;',
        partman.schema, 'YYYYMMDD', by_week_or_quarter.parent_table) as after
from by_week_or_quarter
cross join partman
left join statements on statements.parent = by_week_or_quarter.parent
