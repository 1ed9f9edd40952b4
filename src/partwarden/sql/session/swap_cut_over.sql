create function partwarden.swap_cut_over(p_parent regclass, p_interval text, p_is_strict boolean)
returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- The moment itself: in one transaction the last changes are done to the copy, the default partition is detached, the new
-- partitions and a new default one are attached. Returns how many entries of the log were left for this moment.
--
-- The parent is locked against readers before anything else: whoever has read its list of partitions has the lock on it
-- until the statement ends, so nobody stands between the old list and the new one.
declare
    v_set     record;
    v_swap    record := partwarden.swap_names(p_parent);
    v_old     regclass;
    v_name    name;
    v_child   record;
    v_entries bigint;
    v_reader  text;
    v_has_entries boolean;
begin
    execute format('lock table only %s in access exclusive mode', p_parent);
    v_set := partwarden.drain_set(p_parent, p_interval);
    v_old := v_set.default_partition;
    execute format('lock table %s in access exclusive mode', v_old);
    perform partwarden.swap_refuse_changed(p_parent);
    execute format('select exists (select from %s)', v_swap.log) into v_has_entries;
    -- Rows that were written a moment ago are not in a snapshot that somebody has had for longer: there they would be missing.
    v_reader := partwarden.snapshot_holder(p_is_strict and v_has_entries);
    if v_reader is not null then
        raise exception '% reads from an earlier moment', v_reader using errcode = 'lock_not_available';
    end if;
    v_entries := partwarden.swap_apply(p_parent, p_interval);

    select relname into v_name from pg_class where oid = v_old;
    execute format('drop trigger partwarden_drain_note on %s', v_old);
    execute format('drop trigger partwarden_drain_note_truncate on %s', v_old);
    execute format('alter table %s detach partition %s', p_parent, v_old);
    execute format('alter table %s rename to %I', v_old, v_swap.prefix || '_old');
    for v_child in
        execute format('select relation::regclass as name, lower_bound, upper_bound from %s
            where lower_bound is not null order by number', v_swap.steps)
    loop
        execute format('alter table %s attach partition %s for values from (%L) to (%L)',
            p_parent, v_child.name, v_child.lower_bound, v_child.upper_bound);
        execute format('alter table %s drop constraint partwarden_drain_bound', v_child.name);
    end loop;
    perform partwarden.swap_rename_indexes(p_parent, v_old, v_swap.rest);
    execute format('alter table %s rename to %I', v_swap.rest, v_name);
    execute format('alter table %s attach partition %s default', p_parent, v_swap.rest);
    return v_entries;
end
$$;
