create function partwarden.mute_triggers(p_table regclass)
returns jsonb
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Disables the user's triggers of a table and of its partitions, in this transaction, and returns what unmute_triggers()
-- needs to put them back as they were.
declare
    v_trigger record;
    v_muted   jsonb := '[]';
begin
    for v_trigger in
        select tgrelid::regclass::text as on_table, tgname, tgenabled
        from pg_partition_tree(p_table) tree
        join pg_trigger on tgrelid = tree.relid
        where not tgisinternal and tgenabled <> 'D'
    loop
        execute format('alter table only %s disable trigger %I', v_trigger.on_table, v_trigger.tgname);
        v_muted := v_muted || jsonb_build_array(to_jsonb(v_trigger));
    end loop;
    return v_muted;
end
$$;
