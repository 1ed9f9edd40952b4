create function partwarden.find_set(p_parent text)
returns regclass
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
-- The table that a person means: schema.table, quoted as SQL wants it or not quoted at all, as pg_partman writes it.
declare
    v_found regclass;
begin
    select pg_class.oid into v_found
    from pg_class join pg_namespace on pg_namespace.oid = relnamespace
    where nspname || '.' || relname = p_parent and relkind in ('p', 'r')
    order by relkind
    limit 1;
    if v_found is null then
        begin
            v_found := to_regclass(p_parent);
        exception when others then
            v_found := null;  -- not even a name
        end;
    end if;
    if v_found is null then
        raise exception 'there is no table %', p_parent
            using errcode = 'undefined_table', hint = 'Name it with its schema: schema.table.';
    end if;
    return v_found;
end
$$;
