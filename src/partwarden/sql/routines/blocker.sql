create function partwarden.blocker(p_parent regclass)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
-- Who holds a lock on a set, its partitions, or a table that a foreign key connects it with: up to three sessions, those
-- first that keep partitions from being attached, and of these the longest transaction. NULL when there is nobody. Of
-- another role's session only the number is seen, without pg_monitor.
with recursive member as (
    -- Not pg_partition_tree(): it would wait for the very locks.
    select p_parent::oid as relation
    union
    select inhrelid from pg_inherits join member on inhparent = member.relation
),
concerned as (
    select relation from member
    union
    select case when conrelid = p_parent then confrelid else conrelid end
    from pg_constraint where contype = 'f' and p_parent in (conrelid, confrelid)
),
holder as (
    select distinct on (lock.pid, lock.virtualtransaction)
        lock.pid,
        lock.relation,
        lock.mode,
        lock.relation = (select partdefid from pg_partitioned_table where partrelid = p_parent)
            or lock.mode not in ('AccessShareLock', 'RowShareLock', 'RowExclusiveLock') as is_in_the_way,
        activity.usename,
        activity.state,
        activity.xact_start,
        left(regexp_replace(activity.query, '\s+', ' ', 'g'), 100) as query
    from pg_locks lock
    left join pg_stat_activity activity on activity.pid = lock.pid
    where lock.locktype = 'relation' and lock.granted and lock.pid is distinct from pg_backend_pid()
      and lock.database = (select oid from pg_database where datname = current_database())
      and lock.relation in (select relation from concerned)
    order by lock.pid, lock.virtualtransaction, is_in_the_way desc, lock.mode
)
select string_agg(
    coalesce('process ' || pid, 'a prepared transaction')
    || coalesce(format(' (%s)', usename), '')
    || format(' holds %s on %s', mode, relation::regclass)
    || coalesce(' since ' || partwarden.utc(xact_start), '')
    || coalesce(', ' || state, '')
    || coalesce(': ' || nullif(query, ''), ''),
    '; ' order by is_in_the_way desc, xact_start nulls last, pid)
from (select * from holder order by is_in_the_way desc, xact_start nulls last, pid limit 3) first
$$;
