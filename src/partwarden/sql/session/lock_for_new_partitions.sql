create function partwarden.lock_for_new_partitions(p_parent regclass)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Takes the locks that pg_partman will need, so that what waits for them is told as it is: pg_partman wraps its errors.
declare
    v_default regclass := (select nullif(partdefid, 0) from pg_partitioned_table where partrelid = p_parent);
begin
    perform partwarden.take_partman_lock();
    execute format('lock table only %s in share update exclusive mode', p_parent);
    if v_default is not null then
        execute format('lock table %s in access exclusive mode', v_default);
    end if;
end
$$;
