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
        min(bound.upper_at) + partition_set.retention_step as since
    from partition_set
    join partition_bound bound on bound.parent = partition_set.parent
    join headroom on headroom.parent = partition_set.parent
    cross join setting
    cross join partman
    where partition_set.is_maintained
      and case
          -- pg_partman keeps the last partition, whatever its age.
          when bound.upper_at = headroom.last_upper_at or bound.upper_id = headroom.last_upper_id then false
          when partition_set.retention_step is not null then
              bound.upper_at < now() - partition_set.retention_step - setting.maintenance_stale_after
          else
              bound.upper_id <= headroom.position_id - partition_set.retention_width - partition_set.width
      end
    group by partition_set.name, partition_set.retention, partition_set.kind, partition_set.parent_table,
             partman.schema, partition_set.retention_step
) late
