create function partwarden.snapshot_holder(p_is_strict boolean)
returns text
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- A session with a snapshot that it may read the set with later on, in words; null when there is none. It may be one that
-- sits in a transaction with a snapshot that outlives its statements (REPEATABLE READ, SERIALIZABLE, an open cursor); and,
-- when p_is_strict, one in the middle of a statement, which may call a function that reads the set. A statement that
-- waits for a lock takes its snapshot when it has it. Of other roles' sessions nothing is seen without pg_monitor.
begin
    perform pg_stat_clear_snapshot();  -- else it is as old as this transaction
    return (
        select format('process %s (%s, in a transaction since %s)', pid, usename, to_char(xact_start, 'HH24:MI:SS'))
        from pg_stat_activity
        where datname = current_database()
          and pid <> pg_backend_pid()
          and application_name <> 'partwarden'
          and backend_xmin is not null
          and (state like 'idle in transaction%'
               or p_is_strict and state = 'active' and backend_type = 'client backend'
                  and wait_event_type is distinct from 'Lock')
        order by xact_start
        limit 1);
end
$$;
