create function partwarden.guarded_step(p_step jsonb, p_give_up_at timestamptz)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Makes one partition beside a guarded default partition, as pg_partman would.
begin
    perform partwarden.take_partman_lock();
    perform partwarden.lock_for_attaching(p_step, p_give_up_at);
    if not partwarden.open_guard(p_step) then
        raise exception 'the guard of % is gone', p_step ->> 'name' using errcode = 'PWGRD';
    end if;
    perform partwarden.make_child(p_step, p_step ->> 'lower_bound', p_step ->> 'upper_bound', (p_step ->> 'child')::name);
end
$$;
