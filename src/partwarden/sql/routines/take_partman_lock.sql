create function partwarden.take_partman_lock()
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- pg_partman's run_maintenance() returns without a word when another session holds its lock, so we take that
-- lock first (it counts per session) and say who has it when we can't.
declare
    v_key    bigint := hashtext('pg_partman run_maintenance');
    v_holder integer;
begin
    if pg_try_advisory_xact_lock(v_key) then
        return;
    end if;
    select pid into v_holder
    from pg_locks
    where locktype = 'advisory' and granted and objsubid = 1
      and database = (select oid from pg_database where datname = current_database())
      and (classid::bigint << 32 | objid::bigint) = v_key
    limit 1;
    raise exception 'pg_partman''s maintenance lock is held by process %', coalesce(v_holder::text, '(gone by now)')
        using errcode = 'lock_not_available',
            hint = format('Is it another maintenance, or a session that an error left with the lock? '
                          'select * from pg_stat_activity where pid = %s;', coalesce(v_holder, 0));
end
$$;
