-- relation: headroom
-- uses: partition_set, partition_range, partition_bound, locked
-- why: where each set stands now and where the unbroken row of partitions from there ends (edge). Time-based
--      sets stand at this moment; of an id-based set the last partition with a row in it tells. A set begins with
--      its first partition, and one that is itself a partition is limited by its own bounds (start_at, limit_at). A
--      partition without an end begins at endless_at or endless_id; is_endless says that it is a part of that row.
select
    place.parent,
    place.position_at,
    place.position_id,
    reach.partitions,
    reach.first_lower_at,
    reach.first_lower_id,
    reach.last_upper_text,
    reach.last_upper_at,
    reach.last_upper_id,
    reach.last_step,
    reach.last_width,
    island.edge_at,
    island.edge_id,
    greatest(own_bound.start_at, reach.first_lower_at) as start_at,
    own_bound.limit_at,
    -- The partition without an end goes on where that row ends, or holds this moment itself.
    endless.parent is not null and coalesce(
        endless.from_at <= coalesce(island.edge_at, place.position_at),
        endless.from_id <= coalesce(island.edge_id, place.position_id, endless.from_id),
        true)          as is_endless,
    endless.from_at    as endless_at,
    endless.from_id    as endless_id
from (
    select
        partition_set.parent,
        case when partition_set.kind in ('time', 'epoch', 'encoded') then now() end as position_at,
        last_filled.lower_id                                                        as position_id
    from partition_set
    left join (
        -- From the last partition backwards to the first that has a row. One whose file is empty is not opened.
        select listed.parent, filled.lower_id
        from (
            select
                bound.parent,
                array_agg(bound.child order by bound.lower_id desc)      as children,
                array_agg(bound.child_kind order by bound.lower_id desc) as kinds,
                array_agg(bound.lower_id order by bound.lower_id desc)   as lowers
            from partition_bound bound
            where bound.lower_id is not null
            group by bound.parent
        ) listed
        cross join lateral (
            select one.lower_id
            from unnest(listed.children, listed.kinds, listed.lowers) as one (child, kind, lower_id)
            where case
                when one.kind = 'f' then false
                when one.child in (select locked.table_oid from locked) then false
                when one.kind = 'r' and coalesce(pg_relation_size(one.child), 0) = 0 then false
                when not has_schema_privilege((select child.relnamespace from pg_class child where child.oid = one.child), 'usage')
                    or not has_table_privilege(one.child, 'select') then one.kind = 'r'
                else query_to_xml(format('select 1 as filled from %s limit 1', one.child::regclass), false, false, '')::text
                     ~ 'filled'
            end
            limit 1
        ) filled
    ) last_filled on last_filled.parent = partition_set.parent
) place
left join (
    select
        bound.parent,
        count(*)            as partitions,
        min(bound.lower_at) as first_lower_at,
        min(bound.lower_id) as first_lower_id,
        max(bound.upper_at) as last_upper_at,
        max(bound.upper_id) as last_upper_id,
        (array_agg(bound.upper_text order by bound.upper_at desc, bound.upper_id desc))[1] as last_upper_text,
        (array_agg(bound.upper_at - bound.lower_at order by bound.upper_at desc))[1]       as last_step,
        (array_agg(bound.upper_id - bound.lower_id order by bound.upper_id desc))[1]       as last_width
    from partition_bound bound
    group by bound.parent
) reach on reach.parent = place.parent
left join (
    select
        numbered.parent,
        min(numbered.lower_at) as start_at,
        max(numbered.upper_at) as edge_at,
        min(numbered.lower_id) as start_id,
        max(numbered.upper_id) as edge_id
    from (
        select
            neighbours.*,
            sum(neighbours.begins) over (
                partition by neighbours.parent order by neighbours.lower_at, neighbours.lower_id
            ) as number
        from (
            select
                bound.*,
                case
                    when bound.lower_at = lag(bound.upper_at) over ordered then 0
                    when bound.lower_id = lag(bound.upper_id) over ordered then 0
                    else 1
                end as begins
            from partition_bound bound
            window ordered as (partition by bound.parent order by bound.lower_at, bound.lower_id)
        ) neighbours
    ) numbered
    group by numbered.parent, numbered.number
) island
    on island.parent = place.parent
    and (
        island.start_at <= place.position_at and island.edge_at > place.position_at
        or island.start_id <= place.position_id and island.edge_id > place.position_id
    )
left join (
    select bound.parent, min(bound.lower_at) as from_at, min(bound.lower_id) as from_id
    from partition_range bound
    where bound.is_open_above
    group by bound.parent
) endless on endless.parent = place.parent
left join (
    -- From the catalog: what it is a partition of may be none of the sets that are looked at.
    select
        partition_set.parent,
        case when partition_set.kind = 'epoch' then to_timestamp(literal.ends[1]::numeric / partition_set.epoch_unit)
             else literal.ends[1]::timestamptz end as start_at,
        case when partition_set.kind = 'epoch' then to_timestamp(literal.ends[2]::numeric / partition_set.epoch_unit)
             else literal.ends[2]::timestamptz end as limit_at
    from partition_set
    join pg_catalog.pg_class itself on itself.oid = partition_set.parent and itself.relispartition
    join pg_catalog.pg_inherits inherits on inherits.inhrelid = itself.oid
    join pg_catalog.pg_partitioned_table above on above.partrelid = inherits.inhparent
    join pg_catalog.pg_attribute attribute
        on attribute.attrelid = above.partrelid and attribute.attnum = above.partattrs[0]
    cross join lateral regexp_match(
        pg_get_expr(itself.relpartbound, 0),
        '^FOR VALUES FROM \(''?(.+?)''?\) TO \(''?(.+?)''?\)$'
    ) as literal (ends)
    where case
        when literal.ends && array['MINVALUE', 'MAXVALUE', 'infinity', '-infinity', 'Infinity', '-Infinity', 'NaN'] then false
        when partition_set.kind = 'time'
            then attribute.atttypid in ('timestamptz'::regtype, 'timestamp'::regtype, 'date'::regtype)
                 and literal.ends[2] !~ '^\d{6}'
        when partition_set.kind = 'epoch'
            then attribute.atttypid in ('bigint'::regtype, 'integer'::regtype)
                 and literal.ends[1]::numeric / partition_set.epoch_unit >= -210866803200
                 and literal.ends[2]::numeric / partition_set.epoch_unit <= 9224318015999
        else false
    end
) own_bound on own_bound.parent = place.parent
