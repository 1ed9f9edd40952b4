-- check: lock-leaked
-- severity: critical
-- needs: pg_partman, activity
-- uses: -
-- why: an idle session holds the lock under which pg_partman maintains, left behind by an error; until it ends, every
--      other maintenance returns at once, having done nothing, and counts as a success
select
    'critical'                                                                     as severity,
    format('process %s', holder.pid)                                               as object,
    format('idle process %s holds pg_partman''s maintenance lock', holder.pid)     as summary,
    jsonb_strip_nulls(jsonb_build_object(
        'cause', 'pg_partman does not release its session lock when maintenance ends with an error.',
        'user', holder.usename,
        'application', nullif(holder.application_name, ''),
        'last_statement', left(holder.query, 200)))                                as detail,
    format('select pg_terminate_backend(%s);', holder.pid)                         as remedy,
    holder.state_change                                                            as since
from (
    select distinct activity.pid, activity.usename, activity.application_name, activity.query, activity.state_change
    from pg_locks lock
    join pg_stat_activity activity on activity.pid = lock.pid
    where lock.locktype = 'advisory' and lock.granted and lock.objsubid = 1
      and lock.database = (select oid from pg_database where datname = current_database())
      -- The lock's name differs by version: 4.7, 5.1 and 5.2, 5.5.
      and (lock.classid::bigint << 32 | lock.objid::bigint) in (
          hashtext('pg_partman run_maintenance'),
          hashtext('pg_partman run_maintenance procedure'),
          hashtext('pg_partman run_maintenance_proc'))
      and activity.state like 'idle%'
      and activity.state_change < now() - interval '5 seconds'
) holder
