create function partwarden.whole_place(p_parent regclass, p_interval text, p_lower text, p_upper text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Prepares a big default partition for becoming the one partition that all of its rows belong into, without being read under
-- a lock: a constraint that says so, with an escape, so that it refuses nobody's row; and a trigger that tells when another
-- one comes all the same. docs/maintenance.md says why that is sound.
declare
    v_set    record := partwarden.drain_set(p_parent, p_interval);
    v_prefix text := format('%I.%I', v_set.schema, (partwarden.swap_names(p_parent)).prefix || '_whole');
    v_note   text := format('%I.%I', v_set.schema, (partwarden.swap_names(p_parent)).prefix || '_whole_note');
    v_seen   text := format('%I.%I', v_set.schema, (partwarden.swap_names(p_parent)).prefix || '_whole_seen');
begin
    perform partwarden.whole_clear(p_parent);
    perform partwarden.make_escape(v_prefix, v_note, v_seen);
    execute format('create trigger partwarden_drain_whole after insert or update on %1$s for each row
            when (new.%2$I is null or new.%2$I < %3$L::%5$s or new.%2$I >= %4$L::%5$s) execute function %6$s()',
        v_set.default_partition, v_set.control, p_lower, p_upper, v_set.control_type, v_note);
    execute format('alter table %1$s enable always trigger partwarden_drain_whole, add constraint partwarden_drain_whole
            check (%2$I is not null and %2$I >= %3$L::%5$s and %2$I < %4$L::%5$s or %6$s()) not valid',
        v_set.default_partition, v_set.control, p_lower, p_upper, v_set.control_type, v_prefix);
end
$$;
