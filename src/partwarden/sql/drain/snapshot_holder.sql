create function partwarden.snapshot_holder()
returns text
language sql volatile
set search_path = pg_catalog, pg_temp
as $$
-- A session that sits in a transaction with a snapshot which outlives its statements (REPEATABLE READ, SERIALIZABLE, an
-- open cursor), in words; null when there is none. Of other roles' sessions it sees nothing without pg_monitor.
select format('process %s (%s, in a transaction since %s)', pid, usename, to_char(xact_start, 'HH24:MI:SS'))
from pg_stat_activity
where datname = current_database()
  and pid <> pg_backend_pid()
  and application_name <> 'partwarden'
  and state like 'idle in transaction%'
  and backend_xmin is not null
order by xact_start
limit 1
$$;
