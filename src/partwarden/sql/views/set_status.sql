-- view: set_status
-- uses: managed_parent, partition_set, partition_child, partition_bound, headroom, maintenance_record, id_usage, locked
-- why: how each set stands, from the catalog alone: its partitions around this moment, where they end, how much is in
--      them. Sizes and rows are what the last vacuum and the statistics know; of default partitions it is asked whether the
--      file is empty, and of up to 1,000 partitions that no vacuum has come by, how big the file is
with recursive ancestor as (
    -- What each set that is a partition lies below, from itself up to the root of the tree.
    select
        partition_set.parent,
        line.relid,
        line.place,
        higher.parent is not null                                                    as is_set,
        max(line.place) filter (where line.relid = {{within}}) over (partition by partition_set.parent) as within
    from partition_set
    join pg_catalog.pg_class itself on itself.oid = partition_set.parent and itself.relispartition
    cross join lateral pg_partition_ancestors(partition_set.parent) with ordinality as line (relid, place)
    left join partition_set higher on higher.parent = line.relid
),
standing as (
    -- root is the topmost set, or the topmost below {{within}}; above the next set, and via its partition that leads here.
    select
        partition_set.parent,
        coalesce(chain.line[chain.root_place], partition_set.parent) as root,
        case when chain.root_place > 1 then chain.line[chain.above_place] end as above,
        case when chain.root_place > 1 then chain.line[chain.above_place - 1] end as via
    from partition_set
    left join (
        select
            ancestor.parent,
            array_agg(ancestor.relid order by ancestor.place) as line,
            max(ancestor.within) as within,
            max(ancestor.place) filter (where ancestor.is_set and (ancestor.within is null or ancestor.place < ancestor.within))
                as root_place,
            min(ancestor.place) filter (where ancestor.is_set and ancestor.place > 1) as above_place
        from ancestor
        group by ancestor.parent
    ) chain on chain.parent = partition_set.parent
    where {{within}} = 0 or chain.within > 1
),
mixed as (
    -- What lies below a partition that is partitioned by list, say, down to the next sets. pg_partition_tree() would lock it.
    select partition_child.child, partition_child.child as table_oid
    from partition_child
    where partition_child.child_kind = 'p'
    union all
    select mixed.child, inherits.inhrelid
    from mixed
    join pg_catalog.pg_inherits inherits on inherits.inhparent = mixed.table_oid
    where mixed.table_oid not in (select partition_set.parent from partition_set)
),
stored as (
    -- The tables that hold the rows of a partition: itself, or those below it that are in no other set.
    select child, child as table_oid, child_kind as kind, pages, rows, toast from partition_child where child_kind <> 'p'
    union all
    select mixed.child, leaf.oid, leaf.relkind, leaf.relpages, leaf.reltuples, leaf.reltoastrelid
    from mixed
    join pg_catalog.pg_class leaf on leaf.oid = mixed.table_oid
    where leaf.relkind <> 'p'
),
table_size as (
    select
        stored.child,
        case
            when stored.kind <> 'r' then null
            when stored.pages > 0 then (stored.pages + coalesce(beside.pages, 0)) * page.bytes
            -- Vacuum has not come by: there are few rows, or it will soon. To ask for the size of a file opens the table, so
            -- of many it is reckoned, from as many rows as the statistics know, 160 bytes each.
            when few.is_so and stored.table_oid not in (select locked.table_oid from locked)
                then case when pg_relation_size(stored.table_oid) = 0 then 0
                          else pg_total_relation_size(stored.table_oid) end
            else ceil(pg_stat_get_live_tuples(stored.table_oid) * 160.0 / page.bytes) * page.bytes
        end::bigint as bytes,
        case
            when stored.kind <> 'r' then null
            when pg_stat_get_tuples_inserted(stored.table_oid) > 0 then pg_stat_get_live_tuples(stored.table_oid)
            when stored.rows >= 0 then stored.rows::bigint
        end as rows
    from stored
    cross join (select current_setting('block_size')::bigint as bytes) page
    cross join (select count(*) <= 1000 as is_so from stored where kind = 'r' and pages = 0) few
    left join (
        select coalesce(index.indrelid, toasted.table_oid) as owner, sum(file.relpages) as pages
        from pg_catalog.pg_class file
        left join pg_catalog.pg_index index on index.indexrelid = file.oid
        left join stored toasted on toasted.toast = file.oid and toasted.toast <> 0
        where file.relkind in ('i', 't') and file.relpages > 1
        group by coalesce(index.indrelid, toasted.table_oid)
    ) beside on beside.owner = stored.table_oid
),
child_size as (
    select
        partition_child.parent,
        partition_child.child,
        partition_child.is_default,
        partition_child.child_kind,
        partition_child.rows,
        case when partition_child.child_kind = 'p' and inside.child is null then 0 else inside.bytes end as bytes,
        case when partition_child.child_kind = 'p' and inside.child is null then 0 else inside.rows end  as row_estimate
    from partition_child
    left join (
        select table_size.child, sum(table_size.bytes)::bigint as bytes, sum(table_size.rows)::bigint as rows
        from table_size
        group by table_size.child
    ) inside on inside.child = partition_child.child
),
standby as (
    select
        looked.parent,
        looked.child_kind as kind,
        case
            when looked.is_empty then 0
            when looked.child_kind = 'p' then looked.row_estimate
            when pg_stat_get_tuples_inserted(looked.child) > 0 then pg_stat_get_live_tuples(looked.child)
            when looked.rows >= 0 then looked.rows::bigint
            when looked.is_locked then 0
        end as rows
    from (
        select
            child_size.*,
            lock.is_on as is_locked,
            case child_size.child_kind
                when 'r' then not lock.is_on and pg_relation_size(child_size.child) = 0
                when 'p' then coalesce(child_size.bytes, 0) = 0
                else false
            end as is_empty
        from child_size
        cross join lateral (select child_size.child in (select locked.table_oid from locked) as is_on) lock
        where child_size.is_default
    ) looked
),
placed as (
    select
        bound.parent,
        extract(epoch from bound.lower_at)::double precision  as lower_second,
        extract(epoch from bound.upper_at)::double precision  as upper_second,
        bound.lower_id,
        bound.upper_id,
        bound.child,
        -- 0 is the partition that this moment lies in, or the next one where it lies in none.
        row_number() over ordered - 1 - count(*) filter (
            where bound.upper_at <= headroom.position_at or bound.upper_id <= headroom.position_id
        ) over (partition by bound.parent)                    as place,
        later.is_so                                           as is_later,
        later.is_so
            and coalesce(bound.upper_at <= headroom.edge_at, bound.upper_id <= headroom.edge_id, true) as is_ahead
    from partition_bound bound
    join headroom on headroom.parent = bound.parent
    cross join lateral (
        select coalesce(bound.lower_at > headroom.position_at, bound.lower_id > headroom.position_id, true) as is_so
    ) later
    window ordered as (partition by bound.parent order by bound.lower_at, bound.lower_id)
),
around as (
    select
        placed.parent,
        count(*) filter (where placed.is_ahead) as ahead,
        count(*) filter (where placed.is_later) as made,
        count(*) filter (where placed.place < -{{past}}) as earlier,
        count(*) filter (where placed.place > {{ahead}}) as later,
        json_agg(
            json_build_array(
                placed.place,
                coalesce(to_jsonb(placed.lower_second), to_jsonb(placed.lower_id)),
                coalesce(to_jsonb(placed.upper_second), to_jsonb(placed.upper_id)),
                child_size.bytes,
                case when child_size.child_kind = 'p' then placed.child::bigint end,
                child_size.row_estimate)
            order by placed.place
        ) filter (
            where placed.place between -{{past}} and {{ahead}}
              -- What is partitioned by text, say, has an order and no axis.
              and coalesce(placed.upper_second - placed.lower_second, placed.upper_id - placed.lower_id) is not null
        ) as partitions
    from placed
    join child_size on child_size.child = placed.child
    join standing on standing.parent = placed.parent and standing.root = standing.parent
    group by placed.parent
),
inside as (
    select
        child_size.parent,
        count(*) filter (where not child_size.is_default)                        as partitions,
        coalesce(sum(child_size.bytes), 0)                                       as bytes
    from child_size
    group by child_size.parent
)
select
    partition_set.parent::bigint                                                 as id,
    standing.root::bigint                                                        as root,
    standing.above::bigint                                                       as above,
    standing.via::bigint                                                         as via,
    partition_set.name,
    partition_set.is_managed,
    partition_set.kind,
    partition_set.parent_table,
    partition_set.control,
    partition_set.partition_interval                                             as "interval",
    coalesce(inside.partitions, 0)                                               as partitions,
    coalesce(inside.bytes, 0)                                                    as bytes,
    extract(epoch from now())                                                    as looked_at,
    coalesce(headroom.position_at >= coalesce(headroom.start_at, '-infinity')
        and headroom.position_at < coalesce(headroom.limit_at, 'infinity'), false) as is_current,
    coalesce(extract(epoch from headroom.edge_at), headroom.edge_id)             as edge,
    extract(epoch from headroom.start_at)                                        as start_at,
    extract(epoch from headroom.limit_at)                                        as limit_at,
    extract(epoch from headroom.last_upper_at)                                   as last_upper_at,
    coalesce(extract(epoch from headroom.position_at), headroom.position_id)     as position,
    coalesce(extract(epoch from headroom.position_at - partition_set.retention_step),
             headroom.position_id - partition_set.retention_width)               as retention_edge,
    partition_set.retention,
    id_usage.last_id,
    (id_usage.last_id - id_usage.first_id)
        / nullif(extract(epoch from id_usage.last_seen - id_usage.first_seen), 0) as ids_a_second,
    coalesce(around.ahead, 0)                                                    as ahead,
    coalesce(around.made, 0)                                                     as made,
    coalesce(around.earlier, 0)                                                  as earlier,
    coalesce(around.later, 0)                                                    as later,
    case when partition_set.is_maintained and partition_set.infinite and not partition_set.is_full
         then partition_set.premake end                                          as premake,
    coalesce(headroom.is_endless, false)                                         as is_endless,
    coalesce(extract(epoch from headroom.endless_at), headroom.endless_id)       as endless_from,
    partition_set.default_partition is not null                                  as has_default,
    standby.rows                                                                 as default_rows,
    case when standby.kind = 'p' then partition_set.default_partition::bigint end as default_set,
    coalesce(partition_set.knows_last_run, false) or record.finished_at is not null as knows_maintenance,
    extract(epoch from greatest(partition_set.last_run, record.finished_at))     as last_maintained,
    around.partitions                                                            as around
from partition_set
join standing on standing.parent = partition_set.parent
left join headroom on headroom.parent = partition_set.parent
left join around on around.parent = partition_set.parent
left join inside on inside.parent = partition_set.parent
left join maintenance_record record
    on record.parent_table = partition_set.parent_table and record.phase = 'create' and record.outcome = 'succeeded'
left join standby on standby.parent = partition_set.parent
left join id_usage on id_usage.parent_table = partition_set.parent_table
union all
-- What pg_partman manages and is no range of one column: a list, say.
select
    managed_parent.parent::bigint, managed_parent.parent::bigint, null, null,
    format('%I.%I', namespace.nspname, parent.relname), true, 'other', managed_parent.config ->> 'parent_table',
    managed_parent.config ->> 'control', managed_parent.config ->> 'partition_interval',
    (select count(*) from pg_catalog.pg_inherits where inhparent = managed_parent.parent), 0, extract(epoch from now()),
    false, null, null, null, null, null, null, managed_parent.config ->> 'retention', null, null, 0, 0, 0, 0, null, false, null, false, null, null,
    managed_parent.config ? 'maintenance_last_run',
    extract(epoch from (managed_parent.config ->> 'maintenance_last_run')::timestamptz), null
from managed_parent
join pg_catalog.pg_class parent on parent.oid = managed_parent.parent
join pg_catalog.pg_namespace namespace on namespace.oid = parent.relnamespace
where {{within}} = 0
  and not exists (select from partition_set where partition_set.parent = managed_parent.parent)
