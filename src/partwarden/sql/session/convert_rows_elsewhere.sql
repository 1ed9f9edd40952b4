create function partwarden.convert_rows_elsewhere(p_parent regclass, p_origin regclass)
returns regclass
language plpgsql stable
set search_path = pg_catalog, pg_temp
set row_security = off
as $$
-- A partition other than the one that the set was converted from that has rows; null where none has.
declare
    v_child regclass;
    v_found boolean;
begin
    for v_child in
        select relid from pg_partition_tree(p_parent) where isleaf and relid <> p_origin
    loop
        execute format('select exists (select from %s)', v_child) into v_found;
        if v_found then
            return v_child;
        end if;
    end loop;
    return null;
end
$$;
