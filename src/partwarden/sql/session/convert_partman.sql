create function partwarden.convert_partman(p_facts jsonb)
returns table (statement text, lock text, object text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
-- Puts the table in its place in the new partition set, has pg_partman manage the set, and has it make the first partition;
-- the others follow later, one at a time. pg_partman 4 makes a default partition whether or not there is to be another one.
with told as (
    select
        p_facts ->> 'name'      as name,
        p_facts ->> 'new_name'  as new_name,
        format('%I.%I', p_facts ->> 'schema', p_facts ->> 'default_name')  as default_table,
        format('%I.%I', p_facts ->> 'schema', p_facts ->> 'prefix')        as interim,
        p_facts ->> 'form' = 'first' and (p_facts ->> 'has_default')::boolean as needs_default,
        (p_facts ->> 'is_partman_4')::boolean                              as is_partman_4,
        p_facts ->> 'form' = 'first'                                       as is_first
), template as (
    -- Partitions of an unlogged table, or one with storage options, are like it: pg_partman takes that from the template.
    select
        format('%I.%I', p_facts ->> 'partman', p_facts ->> 'template_name') as name,
        relpersistence = 'u' as is_unlogged,
        array_cat(reloptions, (
            select array_agg('toast.' || option) from pg_class toast, unnest(toast.reloptions) as option
            where toast.oid = pg_class.reltoastrelid)) as options
    from pg_class
    where oid = (p_facts ->> 'table')::oid::regclass and p_facts ->> 'template_table' is null
      and (relpersistence = 'u' or reloptions is not null)
), setting as (
    select string_agg(format('%I = %L', key, value), ', ' order by key) as list
    from jsonb_each_text((p_facts -> 'settings') || jsonb_build_object('premake', p_facts ->> 'premake'))
    where value is not null
), argument as (
    select string_agg(format('%I => %L', key, value), ', ' order by ordinality) as list
    from (
        values
            (1, 'p_parent_table', p_facts ->> 'parent_table'),
            (2, 'p_control', p_facts ->> 'control'),
            (3, 'p_interval', p_facts ->> 'interval'),
            (4, 'p_type', case when (p_facts ->> 'is_partman_4')::boolean then 'native' else 'range' end),
            (5, 'p_epoch', nullif(p_facts ->> 'epoch', 'none')),
            (6, 'p_premake', '1'),
            (7, 'p_start_partition', p_facts ->> 'start'),
            (8, 'p_template_table', p_facts ->> 'template_table'),
            (9, 'p_date_trunc_interval', p_facts ->> 'date_trunc_interval'),
            (10, 'p_control_not_null', case when (p_facts ->> 'has_nulls')::boolean
                and not (p_facts ->> 'is_partman_4')::boolean then 'false' end),
            (11, 'p_time_encoder', p_facts ->> 'time_encoder'),
            (12, 'p_time_decoder', p_facts ->> 'time_decoder'),
            (13, 'p_offset_id', nullif(p_facts ->> 'offset_id', '0')),
            (14, 'p_jobmon', p_facts ->> 'jobmon'),
            (15, 'p_default_table', (
                select 'false' from told where not told.needs_default and not told.is_partman_4))
    ) given (ordinality, key, value)
    where value is not null
)
select listed.statement, listed.lock, listed.object
from told
cross join argument
cross join setting
cross join lateral (
    select 1 as place, format('alter table %s attach partition %s for values from (%L) to (%L)', told.name, new_name,
        p_facts ->> 'lower_bound', p_facts ->> 'upper_bound') as statement, 'access exclusive' as lock, new_name as object
    where is_first
    union all
    select 2, format('create%s table if not exists %s (like %s)%s', case when is_unlogged then ' unlogged' else '' end,
        template.name, told.name, ' with (' || array_to_string(options, ', ') || ')'), 'access share', template.name
    from template
    union all
    select 3, format('select %I.create_parent(%s)', p_facts ->> 'partman', argument.list), 'access exclusive', told.name
    union all
    select 4, format('drop table %s', default_table), 'access exclusive', default_table
    where not needs_default and is_partman_4
    union all
    -- Until now the table had another name, for this one to be pg_partman's.
    select 5, format('alter table %s rename to %I', new_name, p_facts ->> 'default_name'), 'access exclusive', new_name
    where not is_first
    union all
    select 6, format('alter table %s attach partition %s default', told.name, default_table), 'access exclusive', default_table
    where not is_first
    union all
    select 7, format('update %I.part_config set %s where parent_table = %L', p_facts ->> 'partman', setting.list,
        p_facts ->> 'parent_table'), null, format('%I.part_config', p_facts ->> 'partman')
) listed
order by listed.place
$$;
