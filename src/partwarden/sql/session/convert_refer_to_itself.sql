create function partwarden.convert_refer_to_itself(p_parent regclass, p_old regclass, p_key name, p_definition text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Gives each partition a foreign key of the set to itself. That of the old table is validated later, and the parent gets the
-- key then, which finds it in every partition and reads nothing.
declare
    v_child regclass;
begin
    for v_child in select inhrelid from pg_inherits where inhparent = p_parent
    loop
        execute format('alter table %s add constraint %I %s%s', v_child, p_key, p_definition,
            case when v_child = p_old and p_definition !~ ' NOT VALID$' then ' not valid' else '' end);
    end loop;
    if p_definition !~ ' NOT VALID$' then
        execute format('comment on constraint %I on %s is ''partwarden validates it''', p_key, p_old);
    end if;
end
$$;
