create function partwarden.refuse_working(p_routine text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Raises an error when some session is running this routine of pg_partman, or when that can't be seen.
declare
    v_pid integer;
begin
    select pid into v_pid
    from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()
      and state <> 'idle' and query ~* format('\m%s\M', p_routine)
    limit 1;
    if v_pid is not null then
        raise exception '% is at work in process %', p_routine, v_pid
            using errcode = 'object_in_use', hint = 'Wait for it.';
    end if;
end
$$;
