create function partwarden.note_repair(p_parent regclass, p_partitions integer, p_rows bigint)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Where partwarden is installed and this role may, has the message that closes an incident say what was repaired.
declare
    v_home constant name := 'partwarden';
begin
    if p_rows = 0 or to_regclass(format('%I.repair', v_home)) is null
        or not has_schema_privilege(v_home, 'usage')
        or not has_table_privilege(to_regclass(format('%I.repair', v_home)), 'insert')
    then
        return;
    end if;
    execute format('insert into %I.repair (parent_table, partitions, rows_moved)
        select nspname || ''.'' || relname, $2, $3
        from pg_class join pg_namespace on pg_namespace.oid = relnamespace where pg_class.oid = $1', v_home)
    using p_parent, p_partitions, p_rows;
end
$$;
