create function partwarden.try_drain(
    p_parent regclass, p_interval text, p_lower text, p_upper text, p_child name, p_give_up_at timestamptz)
returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Drains one interval in the current transaction, if its locks can be had at once; returns how many rows were moved, NULL
-- if they can't. After p_give_up_at that is an error, which says who has them.
declare
    v_default regclass;
begin
    select partdefid::regclass into v_default from pg_partitioned_table where partrelid = p_parent;
    perform partwarden.keep_vacuum_out(array[v_default, p_parent], p_give_up_at);
    return partwarden.drain_interval(p_parent, p_interval, p_lower, p_upper, p_child);
exception when lock_not_available then
    if clock_timestamp() < p_give_up_at then
        return null;
    end if;
    raise exception 'could not lock % in short tries for %: %', p_parent,
        (select lock_timeout from partwarden.setting),
        coalesce(partwarden.blocker(p_parent), 'whoever held it has gone by now')
        using errcode = 'lock_not_available',
            hint = 'Nothing is lost. Call it again later, or end that session: select pg_terminate_backend(pid);';
end
$$;
