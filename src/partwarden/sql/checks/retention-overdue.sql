-- check: retention-overdue
-- severity: warning
-- needs: pg_partman
-- uses: setting, partition_set, partition_bound, headroom, partman
-- why: partitions older than the retention are still attached: the disk fills, and data that should be gone is not
select
    'warning'                                                                      as severity,
    late.name                                                                      as object,
    format('%s partitions of %s are older than its retention of %s', late.number, late.name, late.retention) as summary,
    jsonb_build_object(
        'cause', 'Retention did not run, or fails.',
        'retention', late.retention,
        'oldest', late.oldest)                                                     as detail,
    format(E'select %I.%I(%L);', late.partman,
        case when late.kind = 'id' then 'drop_partition_id' else 'drop_partition_time' end, late.parent_table) as remedy,
    late.since                                                                     as since
from (
    select
        partition_set.name,
        partition_set.retention,
        partition_set.kind,
        partition_set.parent_table,
        partman.schema as partman,
        count(*) as number,
        (array_agg(bound.child::regclass::text order by bound.lower_at, bound.lower_id))[1] as oldest,
        case when partition_set.step is not null
             then min(bound.upper_at) + partition_set.retention::interval end as since
    from partition_set
    join partition_bound bound on bound.parent = partition_set.parent
    join headroom on headroom.parent = partition_set.parent
    cross join setting
    cross join partman
    where partition_set.is_maintained
      and case
          when partition_set.step is not null and partition_set.retention ~ '^[0-9a-zP :.]+$' then
              bound.upper_at < now() - partition_set.retention::interval - setting.maintenance_stale_after
          when partition_set.width is not null and partition_set.retention ~ '^\d+$' then
              bound.upper_id < headroom.position_id - partition_set.retention::numeric - partition_set.width
          else false
      end
    group by partition_set.name, partition_set.retention, partition_set.kind, partition_set.parent_table,
             partman.schema, partition_set.step
) late
