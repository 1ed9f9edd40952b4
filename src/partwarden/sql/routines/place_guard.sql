create function partwarden.place_guard(p_facts jsonb, p_give_up_at timestamptz)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Prepares a big default partition for attaching partitions without reading it: a constraint that says that no row lies
-- where they have to go, with an escape, so that it refuses nobody's row; and a trigger that tells when one comes all the
-- same. What is guaranteed, and why, is in docs/maintenance.md.
declare
    v_default  regclass := (p_facts ->> 'default_partition')::oid;
    v_type     text := format_type((p_facts ->> 'control_type')::oid, -1);
    v_escape   text;
    v_note     text;
    v_seen     text;
begin
    perform partwarden.remove_guard((p_facts ->> 'parent')::oid);
    select escape, note, seen into v_escape, v_note, v_seen from partwarden.guard_names((p_facts ->> 'parent')::oid);
    perform partwarden.make_escape(v_escape, v_note, v_seen);

    perform partwarden.keep_vacuum_out(array[v_default], p_give_up_at);
    execute format('lock table only %s in access exclusive mode', v_default);
    execute format('create trigger partwarden_guard after insert or update on %1$s for each row
            when (new.%2$I >= %3$L::%5$s and new.%2$I < %4$L::%5$s) execute function %6$s()',
        v_default, p_facts ->> 'control', p_facts ->> 'last_upper_text', p_facts ->> 'until', v_type, v_note);
    execute format('alter table %1$s enable always trigger partwarden_guard, add constraint partwarden_guard
            check (%2$I < %3$L::%5$s or %2$I >= %4$L::%5$s or %6$s()) not valid',
        v_default, p_facts ->> 'control', p_facts ->> 'last_upper_text', p_facts ->> 'until', v_type, v_escape);
    perform set_config('synchronous_commit', 'off', true);
end
$$;
