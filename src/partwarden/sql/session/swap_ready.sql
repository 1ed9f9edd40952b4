create function partwarden.swap_ready(p_parent regclass, p_interval text, p_number integer)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Gives one of the tables that have been copied into its indexes and all else that it needs before the cut-over; number 0
-- is the new default partition, which gets what the old one has.
declare
    v_swap    record := partwarden.swap_names(p_parent);
    v_default regclass := (select partdefid from pg_partitioned_table where partrelid = p_parent);
    v_step    record;
begin
    for v_step in execute format('select * from %s where number = %s and not is_ready for update', v_swap.steps, p_number) loop
        if p_number = 0 then
            perform partwarden.copy_indexes(v_default, v_swap.rest, v_swap.prefix || '_i');
            perform partwarden.copy_traits(v_default, v_swap.rest);
        else
            perform partwarden.finish_child(p_parent, p_interval, v_step.child, true);
        end if;
        execute format('update %s set is_ready = true where number = %s', v_swap.steps, p_number);
    end loop;
end
$$;
