create function partwarden.check_references(p_deferred jsonb)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Checks the foreign keys that defer_references() put off, and makes them as they were.
declare
    v_key record;
begin
    for v_key in
        select * from jsonb_to_recordset(p_deferred)
            as deferred (on_table text, conname name, schema name, condeferrable boolean, condeferred boolean)
    loop
        execute format('set constraints %I.%I immediate', v_key.schema, v_key.conname);
        if not v_key.condeferrable then
            execute format('alter table %s alter constraint %I not deferrable', v_key.on_table, v_key.conname);
        elsif v_key.condeferred then
            execute format('set constraints %I.%I deferred', v_key.schema, v_key.conname);
        end if;
    end loop;
    if current_setting('session_replication_role') = 'replica' then
        perform set_config('session_replication_role', 'origin', true);
    end if;
end
$$;
