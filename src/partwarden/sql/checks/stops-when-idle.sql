-- check: stops-when-idle
-- severity: warning
-- needs: pg_partman
-- uses: partition_set, partition_bound, headroom, locked, partman
-- why: without infinite_time_partitions pg_partman counts from the newest row: no rows, no new partitions. When rows come
--      back after the last partition they fall into the default one, and stop maintenance
select
    'warning'                                                                      as severity,
    idle.name                                                                      as object,
    format('%s has had no rows since %s, and gets no more partitions until it has', idle.name,
        to_char(idle.filled_to at time zone 'UTC', 'YYYY-MM-DD HH24:MI "UTC"'))    as summary,
    jsonb_build_object(
        'cause', 'infinite_time_partitions is off, so pg_partman counts from the newest row and not from now.',
        'newest_rows_before', idle.filled_to,
        'partitions_end', idle.last_upper_at)                                      as detail,
    format(E'update %I.part_config set infinite_time_partitions = true where parent_table = %L;\n%s',
        idle.partman, idle.parent_table, idle.maintain)                            as remedy,
    idle.filled_to                                                                 as since
from (
    select
        partition_set.*,
        partman.schema as partman,
        partman.maintain,
        headroom.last_upper_at,
        filled.upper_at as filled_to
    from partition_set
    join headroom on headroom.parent = partition_set.parent
    cross join partman
    join (
        select
            bound.parent,
            array_agg(bound.child order by bound.lower_at desc)    as children,
            array_agg(bound.upper_at order by bound.lower_at desc) as uppers
        from partition_bound bound
        where bound.child_kind = 'r'
        group by bound.parent
    ) listed on listed.parent = partition_set.parent
    cross join lateral (
        select one.upper_at
        from unnest(listed.children, listed.uppers) as one (child, upper_at)
        where one.child not in (select locked.table_oid from locked)
          and pg_relation_size(one.child) > 0
        limit 1
    ) filled
    where partition_set.kind in ('time', 'epoch', 'encoded')
      and not partition_set.infinite
      and partition_set.is_maintained
      and not partition_set.is_full
      and now() < coalesce(headroom.limit_at, 'infinity')
) idle
where idle.filled_to + idle.step < now()
