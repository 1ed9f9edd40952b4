-- check: gap
-- severity: warning, critical when it lies ahead
-- needs: sets
-- uses: partition_set, hole, headroom, partman
-- why: between two neighbouring partitions one is missing: its rows go to the default partition, or are refused
select
    case when torn.is_ahead then 'critical' else 'warning' end                     as severity,
    torn.name                                                                      as object,
    format('%s has no partition from %s to %s%s', torn.name, torn.gap_from, torn.gap_to,
        case when torn.number > 1 then format(', nor in %s other %s', torn.number - 1,
            case when torn.number = 2 then 'gap' else 'gaps' end) else '' end) as summary,
    jsonb_build_object(
        'cause', 'A partition was dropped or detached, or was never made because another table bears its name.',
        'from', torn.gap_from,
        'to', torn.gap_to,
        'gaps', torn.number)                                                       as detail,
    case when torn.missing > 1000 then format(
             'select relid, pg_get_expr(relpartbound, oid) from pg_partition_tree(%L) join pg_class on oid = relid order by 2 desc limit 5;'
             '  -- a partition lies %s intervals behind the gap: detach it, filling the gap would make as many', torn.name,
             torn.missing)
         -- pg_partman's function fails on a partition without an end, or makes ones that overlap it.
         when torn.is_managed and not torn.has_endless then format('select %I.partition_gap_fill(%L);', partman.schema, torn.parent_table)
         else format('create table %s partition of %s for values from (%L) to (%L);',
                     format('%I.%I', torn.schema, left(torn.table_name, 50) || '_gap'), torn.name, torn.gap_from, torn.gap_to)
    end                                                                            as remedy,
    null::timestamptz                                                              as since
from (
    select
        partition_set.parent,
        partition_set.name,
        partition_set.schema,
        partition_set.table_name,
        partition_set.parent_table,
        partition_set.is_managed,
        count(*) as number,
        max(coalesce(
            extract(epoch from hole.to_at - hole.from_at)::numeric
                / nullif(extract(epoch from coalesce(partition_set.step, headroom.last_step)), 0)::numeric,
            (hole.to_id - hole.from_id)
                / nullif(coalesce(partition_set.width, headroom.last_width), 0)))::bigint as missing,
        bool_or(hole.has_endless) as has_endless,
        bool_or(hole.to_at > now() or hole.to_id > headroom.position_id) as is_ahead,
        (array_agg(hole.from_text order by hole.to_at desc, hole.to_id desc))[1] as gap_from,
        (array_agg(hole.to_text order by hole.to_at desc, hole.to_id desc))[1] as gap_to
    from hole
    join partition_set on partition_set.parent = hole.parent
    left join headroom on headroom.parent = hole.parent
    group by partition_set.parent, partition_set.name, partition_set.schema, partition_set.table_name,
             partition_set.parent_table, partition_set.is_managed
) torn
left join partman on true
