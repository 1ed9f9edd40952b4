-- relation: locked
-- uses: -
-- why: tables that another session has locked, or is about to lock, against readers: we don't queue behind it
select distinct lock.relation as table_oid
from pg_catalog.pg_locks lock
where lock.locktype = 'relation'
  and lock.mode = 'AccessExclusiveLock'
  and lock.database = (select oid from pg_catalog.pg_database where datname = current_database())
  and lock.pid is distinct from pg_backend_pid()
