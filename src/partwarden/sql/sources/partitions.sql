-- source: partitions
-- why: the partitions of one table with what the statistics say of each, from the catalog alone; of one that is partitioned
--      itself, of all that lies below it, vacuumed and analyzed when the first of it was. Of more than 2,000 those whose names
--      come last, which are mostly the newest
with recursive listed as (
    select
        child.oid                                                as child,
        format('%%I.%%I', namespace.nspname, child.relname)      as name,
        child.relkind = 'p'                                      as is_set,
        coalesce(partitioned.partdefid = child.oid, false)       as is_default,
        coalesce(pg_get_expr(child.relpartbound, 0), '')         as bound
    from pg_catalog.pg_inherits inherits
    join pg_catalog.pg_class child on child.oid = inherits.inhrelid
    join pg_catalog.pg_namespace namespace on namespace.oid = child.relnamespace
    left join pg_catalog.pg_partitioned_table partitioned on partitioned.partrelid = inherits.inhparent
    where inherits.inhparent = %(parent)s
    order by coalesce(partitioned.partdefid = child.oid, false) desc, length(child.relname) desc, child.relname desc
    limit 2000
),
below as (
    select child, child as table_oid from listed
    union all
    select below.child, inherits.inhrelid
    from below
    join pg_catalog.pg_inherits inherits on inherits.inhparent = below.table_oid
),
table_size as (
    select
        below.child,
        case
            when stored.relkind <> 'r' then null
            when pg_stat_get_tuples_inserted(stored.oid) > 0 then pg_stat_get_live_tuples(stored.oid)
            when stored.reltuples >= 0 then stored.reltuples::bigint
        end                                                      as rows,
        case
            when stored.relkind <> 'r' then null
            when stored.relpages > 0 then (stored.relpages + coalesce(indexes.pages, 0) + coalesce(toast.relpages, 0))
                * current_setting('block_size')::bigint
            -- Vacuum has not come by. To ask for the size of a file opens the table.
            when locked.relation is null and row_number() over (order by stored.relpages, stored.oid) <= 1000
                then case when pg_relation_size(stored.oid) = 0 then 0 else pg_total_relation_size(stored.oid) end
        end                                                      as bytes,
        greatest(pg_stat_get_last_vacuum_time(stored.oid), pg_stat_get_last_autovacuum_time(stored.oid))   as vacuumed_at,
        greatest(pg_stat_get_last_analyze_time(stored.oid), pg_stat_get_last_autoanalyze_time(stored.oid)) as analyzed_at
    from below
    join pg_catalog.pg_class stored on stored.oid = below.table_oid and stored.relkind <> 'p'
    left join (
        select index.indrelid as owner, sum(file.relpages) as pages
        from pg_catalog.pg_index index
        join pg_catalog.pg_class file on file.oid = index.indexrelid
        where file.relpages > 1 and index.indrelid in (select below.table_oid from below)
        group by index.indrelid
    ) indexes on indexes.owner = stored.oid
    left join pg_catalog.pg_class toast on toast.oid = stored.reltoastrelid and toast.relpages > 1
    left join (
        select distinct pg_locks.relation
        from pg_catalog.pg_locks
        where pg_locks.locktype = 'relation' and pg_locks.mode = 'AccessExclusiveLock'
    ) locked on locked.relation = stored.oid
),
inside as (
    select
        table_size.child,
        case when count(table_size.rows) = count(*) then sum(table_size.rows)::bigint end     as rows,
        case when count(table_size.bytes) = count(*) then sum(table_size.bytes)::bigint end   as bytes,
        case when count(table_size.vacuumed_at) = count(*) then min(table_size.vacuumed_at) end as vacuumed_at,
        case when count(table_size.analyzed_at) = count(*) then min(table_size.analyzed_at) end as analyzed_at
    from table_size
    group by table_size.child
)
select
    listed.name,
    listed.is_set,
    listed.is_default,
    listed.bound,
    case when inside.child is null then 0 else inside.rows end  as rows,
    case when inside.child is null then 0 else inside.bytes end as bytes,
    inside.vacuumed_at,
    inside.analyzed_at
from listed
left join inside on inside.child = listed.child
