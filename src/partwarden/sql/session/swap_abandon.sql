create function partwarden.swap_abandon(p_parent regclass)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Before the cut-over: takes the trigger off the default partition, and drops the copy and all that was there for the
-- swap. The set is as it was. Waits for writers of the default partition, as lock_timeout says.
declare
    v_swap    record := partwarden.swap_names(p_parent);
    v_default regclass := (select partdefid from pg_partitioned_table where partrelid = p_parent);
    v_child   regclass;
begin
    if v_swap.old is not null then
        raise exception 'the new partitions of % are in place: there is no way back', p_parent
            using errcode = 'object_not_in_prerequisite_state', hint = format('Finish it: partwarden drain %s', p_parent);
    end if;
    execute format('drop trigger if exists partwarden_drain_note on %s', v_default);
    execute format('drop trigger if exists partwarden_drain_note_truncate on %s', v_default);
    if v_swap.stage is not null then
        execute format('drop table %s', v_swap.stage);
        v_swap := partwarden.swap_names(p_parent);
    end if;
    if v_swap.steps is not null then
        -- By what they carry, not only by their number: an oid may have been used again.
        for v_child in
            execute format('select conrelid::regclass from %s join pg_constraint on conrelid = relation
                where conname = ''partwarden_drain_bound''', v_swap.steps)
        loop
            execute format('drop table %s', v_child);
        end loop;
    end if;
    if v_swap.note is not null then
        execute format('drop function %s()', v_swap.note);
    end if;
    execute (
        select 'drop table ' || string_agg(work::text, ', ')
        from unnest(array[v_swap.rest, v_swap.log, v_swap.chunks, v_swap.steps]) as work
        where work is not null);
end
$$;
