create function partwarden.restore_references(p_dropped jsonb)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Puts back what drop_references() took, so that every row written from now on is checked. Where PostgreSQL can leave the
-- rows that are there for later, it does: validate_references() looks at them without a lock that anybody notices.
declare
    v_key record;
begin
    for v_key in
        select dropped.*, partwarden.is_validated_later(on_table::regclass) as is_later
        from jsonb_to_recordset(p_dropped) as dropped (on_table text, conname name, definition text, comment text)
    loop
        execute format('alter table %s add constraint %I %s%s', v_key.on_table, v_key.conname, v_key.definition,
            case when v_key.is_later and v_key.definition !~ ' NOT VALID$' then ' not valid' else '' end);
        if v_key.is_later and v_key.definition !~ ' NOT VALID$' then
            execute format('comment on constraint %I on %s is %L', v_key.conname, v_key.on_table,
                concat_ws(E'\n', 'partwarden validates it', v_key.comment));
        else
            execute format('comment on constraint %I on %s is %L', v_key.conname, v_key.on_table, v_key.comment);
        end if;
    end loop;
    if current_setting('session_replication_role') = 'replica' then
        perform set_config('session_replication_role', 'origin', true);
    end if;
end
$$;
