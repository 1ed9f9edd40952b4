-- check: maintenance-blocked
-- severity: warning
-- needs: pg_partman, activity
-- uses: setting, partition_set
-- why: a transaction that has been open for long holds a lock that maintenance needs: maintenance will wait for it, and
--      everybody else behind maintenance
select
    'warning'                                                                      as severity,
    blocked.name                                                                   as object,
    format('%s, open since %s, would make maintenance of %s wait', blocked.holder,
        to_char(blocked.opened_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI "UTC"'), blocked.name) as summary,
    jsonb_strip_nulls(jsonb_build_object(
        'cause', format('It holds %s on %s.', blocked.mode, blocked.relation::regclass),
        'user', blocked.username,
        'application', nullif(blocked.application, ''),
        'state', blocked.state,
        'statement', left(blocked.query, 200)))                                    as detail,
    blocked.remedy                                                                 as remedy,
    blocked.opened_at                                                              as since
from (
    select distinct on (partition_set.parent)
        partition_set.name,
        lock.relation,
        lock.mode,
        activity.usename          as username,
        activity.application_name as application,
        activity.state,
        activity.query,
        coalesce(activity.xact_start, prepared.prepared) as opened_at,
        case when lock.pid is not null then format('process %s', lock.pid)
             else format('prepared transaction %s', quote_literal(prepared.gid)) end as holder,
        case when lock.pid is not null then format('select pg_terminate_backend(%s);', lock.pid)
             else format('rollback prepared %L;  -- or commit prepared', prepared.gid) end as remedy
    from partition_set
    cross join setting
    join pg_locks lock
        on lock.locktype = 'relation' and lock.granted
        and lock.database = (select oid from pg_database where datname = current_database())
        and (
            -- A new partition is attached under SHARE UPDATE EXCLUSIVE on the parent,
            lock.relation = partition_set.parent
                and lock.mode in ('ShareUpdateExclusiveLock', 'ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock',
                                  'AccessExclusiveLock')
            -- and ACCESS EXCLUSIVE on the default partition.
            or lock.relation = partition_set.default_partition
        )
    left join pg_stat_activity activity on activity.pid = lock.pid
    -- A prepared transaction's locks have no process; its number is in another row of the same transaction.
    left join pg_locks of_transaction
        on lock.pid is null and of_transaction.pid is null
        and of_transaction.locktype = 'transactionid'
        and of_transaction.virtualtransaction = lock.virtualtransaction
    left join pg_prepared_xacts prepared on prepared.transaction = of_transaction.transactionid
    where partition_set.is_maintained
      and lock.pid is distinct from pg_backend_pid()
      and coalesce(activity.xact_start, prepared.prepared) < now() - setting.blocked_after
      and activity.backend_type is distinct from 'autovacuum worker'
      -- Maintenance itself.
      and coalesce(activity.query, '') !~* '\m(run_maintenance|partwarden\.maintain|partition_data)'
    order by partition_set.parent, coalesce(activity.xact_start, prepared.prepared)
) blocked
