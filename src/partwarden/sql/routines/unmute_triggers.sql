create function partwarden.unmute_triggers(p_muted jsonb)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Puts triggers back as they were before mute_triggers().
declare
    v_trigger record;
begin
    for v_trigger in
        select * from jsonb_to_recordset(p_muted) as muted (on_table text, tgname name, tgenabled text)
    loop
        execute format('alter table only %s enable %s trigger %I', v_trigger.on_table,
            case v_trigger.tgenabled when 'A' then 'always' when 'R' then 'replica' else '' end, v_trigger.tgname);
    end loop;
end
$$;
