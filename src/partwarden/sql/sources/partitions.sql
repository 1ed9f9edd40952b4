-- source: partitions
-- why: the partitions of one table with what the statistics say of each, from the catalog alone. Of more than 2,000 those
--      whose names come last, which are mostly the newest
select
    format('%%I.%%I', namespace.nspname, child.relname)          as name,
    child.relkind = 'p'                                          as is_set,
    coalesce(partitioned.partdefid = child.oid, false)           as is_default,
    coalesce(pg_get_expr(child.relpartbound, 0), '')             as bound,
    case
        when child.relkind <> 'r' then null
        when pg_stat_get_tuples_inserted(child.oid) > 0 then pg_stat_get_live_tuples(child.oid)
        when child.reltuples >= 0 then child.reltuples::bigint
    end                                                          as rows,
    case
        when child.relkind <> 'r' then null
        when child.relpages > 0
            then (child.relpages + coalesce(indexes.pages, 0) + coalesce(toast.relpages, 0)) * current_setting('block_size')::bigint
        -- Vacuum has not come by. To ask for the size of a file opens the table.
        when locked.relation is null and row_number() over (order by child.relpages, child.oid) <= 1000
            then case when pg_relation_size(child.oid) = 0 then 0 else pg_total_relation_size(child.oid) end
    end                                                          as bytes,
    greatest(pg_stat_get_last_vacuum_time(child.oid), pg_stat_get_last_autovacuum_time(child.oid))   as vacuumed_at,
    greatest(pg_stat_get_last_analyze_time(child.oid), pg_stat_get_last_autoanalyze_time(child.oid)) as analyzed_at
from pg_catalog.pg_inherits inherits
join pg_catalog.pg_class child on child.oid = inherits.inhrelid
join pg_catalog.pg_namespace namespace on namespace.oid = child.relnamespace
left join pg_catalog.pg_partitioned_table partitioned on partitioned.partrelid = inherits.inhparent
left join (
    select index.indrelid as owner, sum(file.relpages) as pages
    from pg_catalog.pg_index index
    join pg_catalog.pg_class file on file.oid = index.indexrelid
    where file.relpages > 1
      and index.indrelid in (select inhrelid from pg_catalog.pg_inherits where inhparent = %(parent)s)
    group by index.indrelid
) indexes on indexes.owner = child.oid
left join pg_catalog.pg_class toast on toast.oid = child.reltoastrelid and toast.relpages > 1
left join (
    select distinct pg_locks.relation
    from pg_catalog.pg_locks
    where pg_locks.locktype = 'relation' and pg_locks.mode = 'AccessExclusiveLock'
) locked on locked.relation = child.oid
where inherits.inhparent = %(parent)s
order by coalesce(partitioned.partdefid = child.oid, false) desc, length(child.relname) desc, child.relname desc
limit 2000
