-- concern: special-interval
-- uses: part_config, part_config_sub, partman
-- why: pg_partman 4 kept the words of create_sub_parent() (daily, weekly, …) as they were; pg_partman 5 takes intervals of
--      PostgreSQL only, and can't make another partition of the level above
select
    '5.0.0'::text    as since,
    'critical'::text as severity,
    found.object,
    format('%s = %L', found.column_name, found.value) as what,
    '{}'::text[]     as before,
    array[format('update %I.%I set %I = %L where %I = %L;', partman.schema, found.table_name, found.column_name,
        word.interval, found.key, found.object)] as after
from (
    select 'part_config', 'parent_table', 'partition_interval', config ->> 'parent_table', config ->> 'partition_interval'
    from part_config
    union all
    select 'part_config_sub', 'sub_parent', 'sub_partition_interval', config ->> 'sub_parent',
        config ->> 'sub_partition_interval'
    from part_config_sub
) found (table_name, key, column_name, object, value)
cross join partman
join (values
    ('yearly', '1 year'), ('quarterly', '3 months'), ('monthly', '1 month'), ('weekly', '1 week'), ('daily', '1 day'),
    ('hourly', '1 hour'), ('half-hour', '30 minutes'), ('quarter-hour', '15 minutes')
) word (word, interval) on word.word = found.value
