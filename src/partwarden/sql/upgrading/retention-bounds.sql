-- concern: retention-bounds
-- uses: partition_set, partition_bound, part_config, partman
-- why: where a set has a retention, maintenance of pg_partman 5.2 cuts the begin of the last partition to a year, month,
--      day or hour and counts on from there. Partitions that begin elsewhere then overlap those that are to be made, unless
--      date_trunc_interval says what to cut to
with last_partition as (
    select distinct on (partition_set.parent)
        partition_set.parent_table,
        partition_set.step,
        bound.lower_at
    from partition_set
    join partition_bound bound on bound.parent = partition_set.parent
    where partition_set.is_managed
      and partition_set.retention is not null
      and partition_set.step is not null
      and bound.lower_at is not null
    order by partition_set.parent, bound.lower_at desc
), cut as (
    select
        last_partition.*,
        -- As calculate_time_partition_info() of pg_partman 5 does.
        date_trunc(case
            when last_partition.step >= interval '1000 years' then 'millennium'
            when last_partition.step >= interval '100 years' then 'century'
            when last_partition.step >= interval '10 years' then 'decade'
            when last_partition.step >= interval '1 year' then 'year'
            when last_partition.step >= interval '1 month' then 'month'
            when last_partition.step >= interval '1 day' then 'day'
            when last_partition.step >= interval '1 minute' then 'hour'
            else 'minute'
        end, last_partition.lower_at) as cut_at
    from last_partition
), wrong as (
    select cut.*
    from cut
    where cut.cut_at <> cut.lower_at
      -- Partitions that divide what is cut to evenly exist already, and are passed over.
      and not (cut.step < interval '1 day'
               and mod(extract(epoch from cut.lower_at - cut.cut_at), extract(epoch from cut.step)) = 0)
)
select
    '5.2.0'::text    as since,
    'critical'::text as severity,
    wrong.parent_table as object,
    format('it has a retention, and its partitions of %s begin at %s, not where pg_partman expects it', wrong.step, wrong.lower_at)
                     as what,
    '{}'::text[]     as before,
    array[format('update %I.part_config set date_trunc_interval = %L where parent_table = %L;', partman.schema,
        (select unit.name from (values (1, 'day'), (2, 'hour'), (3, 'minute'), (4, 'second')) unit (number, name)
         where date_trunc(unit.name, wrong.lower_at) = wrong.lower_at order by unit.number limit 1),
        wrong.parent_table)] as after
from wrong
cross join partman
join part_config on part_config.config ->> 'parent_table' = wrong.parent_table
where part_config.config ->> 'date_trunc_interval' is null
