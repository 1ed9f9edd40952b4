-- concern: counts-default-rows
-- uses: part_config, part_config_sub, partman
-- why: pg_partman 5 makes new sets with ignore_default_data = true; those that exist keep what they have. With false,
--      maintenance makes partitions up to the farthest row in the default partition, thousands for one wrong date. With
--      true, a row in the way makes it fail, and has to be moved
select
    '5.0.0'::text    as since,
    'note'::text     as severity,
    format('%I.%I', partman.schema, found.table_name) as object,
    format('%s = false, which pg_partman 5 no longer recommends, in %s of %s', found.column_name, count(*) filter (where found.is_false),
        count(*)) as what,
    '{}'::text[]     as before,
    array[format('update %I.%I set %I = true where not %3$I;', partman.schema, found.table_name, found.column_name)] as after
from partman
cross join (
    select 'part_config', 'ignore_default_data', config ->> 'parent_table', config ->> 'ignore_default_data'
    from part_config
    union all
    select 'part_config_sub', 'sub_ignore_default_data', config ->> 'sub_parent', config ->> 'sub_ignore_default_data'
    from part_config_sub
) config (table_name, column_name, parent_table, value)
cross join lateral (select config.*, coalesce(config.value, 'false') = 'false' as is_false) found
group by partman.schema, found.table_name, found.column_name
having bool_or(found.is_false)
