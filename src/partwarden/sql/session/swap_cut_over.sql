create function partwarden.swap_cut_over(p_parent regclass, p_interval text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- The moment itself: the default partition is detached, the new partitions and a new default one are attached. Nobody has
-- written to the set since swap_close(), and the copy has all that was logged.
--
-- The parent is locked against readers before anything else: whoever has read its list of partitions has the lock on it
-- until the statement ends, so nobody stands between the old list and the new one.
declare
    v_set     record;
    v_swap    record := partwarden.swap_names(p_parent);
    v_old     regclass;
    v_name    name;
    v_child   record;
    v_is_left boolean;
begin
    execute format('lock table only %s in access exclusive mode', p_parent);
    v_set := partwarden.drain_set(p_parent, p_interval);
    v_old := v_set.default_partition;
    execute format('lock table %s in access exclusive mode', v_old);
    perform partwarden.swap_refuse_changed(p_parent);
    execute format('select exists (select from %s)', v_swap.log) into v_is_left;
    if v_is_left then
        raise exception 'the log of % has entries that the copy lacks', v_old using errcode = 'data_corrupted';
    end if;

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
end
$$;
