-- source: set_facts
-- why: how each set is configured and how far its partitions reach, by the catalog, as maintain() wants to know it. ahead
--      lists the partitions that pg_partman looks into to see where the set stands, but for those without a file to speak of
select
    partition_set.parent_table,
    to_jsonb(partition_set) || to_jsonb(headroom) || jsonb_build_object(
        'step', case when partition_set.kind <> 'id' then partition_set.partition_interval::interval end,
        'width', case when partition_set.kind = 'id' then partition_set.partition_interval::numeric end,
        'partition_count', (select count(*) from pg_inherits where inhparent = partition_set.parent),
        'ahead', ahead.listed) as facts
from partition_set
join headroom on headroom.parent = partition_set.parent
left join (
    select
        bound.parent,
        jsonb_agg(jsonb_build_object('child', bound.child, 'lower_at', bound.lower_at) order by bound.lower_at desc) as listed
    from partition_bound bound
    join partition_set on partition_set.parent = bound.parent
    where case  -- in this order: to look for a file opens the table
        when partition_set.kind = 'id' then false
        when partition_set.infinite and bound.lower_at <= now() then false
        when bound.child_kind <> 'r' or bound.child in (select locked.table_oid from locked) then true
        else pg_relation_size(bound.child) > 0
    end
    group by bound.parent
) ahead on ahead.parent = partition_set.parent
