create function partwarden.make_loose_default(p_default regclass, p_name text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Makes an empty table like a default partition, which it is to replace: not attached, and without indexes, which
-- copy_indexes() and copy_traits() add. p_name is its name as SQL writes it.
declare
    v_default pg_class;
begin
    select * into v_default from pg_class where oid = p_default;
    execute format('create %s table %s (like %s including all excluding indexes excluding identity) %s %s',
        case when v_default.relpersistence = 'u' then 'unlogged' else '' end, p_name, p_default,
        coalesce('with (' || array_to_string(v_default.reloptions, ', ') || ')', ''),
        coalesce(
            (select format('tablespace %I', spcname) from pg_tablespace where pg_tablespace.oid = v_default.reltablespace), ''));
end
$$;
