-- check: interval-drift
-- severity: warning
-- needs: pg_partman
-- uses: partition_set, partition_bound, headroom
-- why: the partitions ahead are not as wide as configured, so premake provides for another time than it seems
select
    'warning'                                                                      as severity,
    uneven.name                                                                    as object,
    format('%s partitions ahead of %s are not as wide as its interval of %s', uneven.number, uneven.name,
        uneven.partition_interval)                                                 as summary,
    jsonb_build_object(
        'cause', 'The interval was changed after they were made, or they were made by hand.',
        'first', uneven.first,
        'configured', uneven.partition_interval)                                   as detail,
    format('select relid, pg_get_expr(relpartbound, oid) from pg_partition_tree(%L) join pg_class on oid = relid;', uneven.name)
                                                                                   as remedy,
    null::timestamptz                                                              as since
from (
    select
        partition_set.name,
        partition_set.partition_interval,
        count(*) as number,
        (array_agg(bound.child::regclass::text order by bound.lower_at, bound.lower_id))[1] as first
    from partition_set
    join partition_bound bound on bound.parent = partition_set.parent
    join headroom on headroom.parent = partition_set.parent
    where partition_set.is_managed
      and (bound.lower_at >= now() or bound.lower_id > headroom.position_id)
      and (
          -- As wide as the interval, but for a change of the clocks, or months seen from another time zone.
          abs(extract(epoch from bound.lower_at + partition_set.step - bound.upper_at)) > case
              when extract(month from partition_set.step) + extract(year from partition_set.step) > 0 then 4 * 86400
              when partition_set.step >= interval '1 day' then 2 * 3600
              else 0
          end
          or bound.upper_id - bound.lower_id <> partition_set.width
      )
    group by partition_set.name, partition_set.partition_interval
) uneven
