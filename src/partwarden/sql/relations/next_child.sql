-- relation: next_child
-- uses: partition_set, hole, headroom
-- why: the names that pg_partman will give to the next partitions of each set, and to those missing in between
select
    wanted.parent,
    wanted.lower_at,
    wanted.lower_id,
    wanted.is_hole,
    -- As pg_partman's check_name_length() does, the table's name is cut so that the suffix fits.
    substr(('_p' || wanted.suffix || wanted.table_name)::name::text, length('_p' || wanted.suffix) + 1)
        || '_p' || wanted.suffix as child_name
from (
    select
        partition_set.parent,
        partition_set.table_name,
        beginning.lower_at,
        beginning.lower_id,
        false as is_hole,
        case when partition_set.kind = 'id' then trunc(beginning.lower_id)::text
             else to_char(beginning.lower_at, partition_set.datetime_string) end as suffix
    from partition_set
    join headroom on headroom.parent = partition_set.parent
    cross join lateral (
        select
            headroom.last_upper_at + ahead.number * partition_set.step  as lower_at,
            headroom.last_upper_id + ahead.number * partition_set.width as lower_id
        from generate_series(0, least(partition_set.premake, 40)) as ahead (number)
    ) beginning
    where partition_set.is_maintained and not partition_set.is_full
      and coalesce(beginning.lower_at, '-infinity') < coalesce(headroom.limit_at, 'infinity')
    union all
    select
        partition_set.parent,
        partition_set.table_name,
        hole.from_at,
        hole.from_id,
        true,
        case when partition_set.kind = 'id' then trunc(hole.from_id)::text
             else to_char(hole.from_at, partition_set.datetime_string) end
    from hole
    join partition_set on partition_set.parent = hole.parent and partition_set.is_managed
) wanted
where wanted.suffix is not null
