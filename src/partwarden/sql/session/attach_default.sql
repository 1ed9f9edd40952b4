create function partwarden.attach_default(
    p_parent regclass, p_interval text, p_lower text, p_upper text, p_child name)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Makes the default partition the one that all of its rows belong into, and puts a new, empty one in its place. Without
-- whole_place() it is read under the lock; a row that does not belong there is an error, and nothing has happened.
declare
    v_set    record := partwarden.drain_set(p_parent, p_interval);
    v_old    regclass := v_set.default_partition;
    v_name   name := (select relname from pg_class where oid = v_old);
    v_prefix text := (partwarden.swap_names(p_parent)).prefix;
    v_rest   text := format('%I.%I', v_set.schema, v_prefix || '_rest');
begin
    execute format('lock table only %s in access exclusive mode', p_parent);
    execute format('lock table %s in access exclusive mode', v_old);
    perform partwarden.whole_open(p_parent);
    perform partwarden.make_loose_default(v_old, v_rest);
    execute format('alter table %s drop constraint if exists partwarden_drain_whole', v_rest);
    perform partwarden.copy_indexes(v_old, v_rest::regclass, v_prefix || '_i');
    perform partwarden.copy_traits(v_old, v_rest::regclass);
    execute format('alter table %s detach partition %s', p_parent, v_old);
    execute format('alter table %s rename to %I', v_old, p_child);
    perform partwarden.swap_rename_indexes(p_parent, v_old, v_rest::regclass);
    perform partwarden.name_indexes_after(v_old, p_child);
    execute format('alter table %s attach partition %s for values from (%L) to (%L)', p_parent, v_old, p_lower, p_upper);
    execute format('alter table %s rename to %I', v_rest, v_name);
    execute format('alter table %s attach partition %I.%I default', p_parent, v_set.schema, v_name);
    perform partwarden.whole_clear(p_parent);
    perform partwarden.check_time_of_epoch(p_parent, p_interval, p_child, p_lower, p_upper);
    perform partwarden.finish_child(p_parent, p_interval, p_child, false);
end
$$;
