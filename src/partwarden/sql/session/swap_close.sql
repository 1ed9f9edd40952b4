create function partwarden.swap_close(p_parent regclass)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Keeps everybody from writing to the set, while it is read as before; returns whether the log has anything that the copy
-- lacks. The parent comes first: a writer of the default partition has its lock already.
declare
    v_swap    record := partwarden.swap_names(p_parent);
    v_default regclass;
    v_is_left boolean;
begin
    execute format('lock table only %s in share row exclusive mode', p_parent);
    select partdefid into v_default from pg_partitioned_table where partrelid = p_parent;
    execute format('lock table only %s in share row exclusive mode', v_default);
    perform partwarden.swap_refuse_changed(p_parent);
    execute format('select exists (select from %s)', v_swap.log) into v_is_left;
    return v_is_left;
end
$$;
