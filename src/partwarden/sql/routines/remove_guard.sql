create function partwarden.remove_guard(p_parent oid)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Removes what is left of the guard of a set's default partition, wherever its constraint has got to. Waits for locks as
-- lock_timeout says.
declare
    v_guard record;
    v_table regclass;
begin
    for v_guard in select listed.* from partwarden.guards() listed where listed.parent = p_parent loop
        foreach v_table in array v_guard.tables loop
            perform partwarden.close_guard(v_table);
        end loop;
        execute format('drop function if exists %1$I.%2$I(), %1$I.%3$I()',
            v_guard.schema, v_guard.prefix, v_guard.prefix || '_note');
        execute format('drop sequence if exists %1$I.%2$I', v_guard.schema, v_guard.prefix || '_seen');
    end loop;
end
$$;
