create function partwarden.copy_indexes(p_from regclass, p_to regclass, p_prefix text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Builds every index of one table on another, with the constraint where one stands on it. Names are PostgreSQL's own
-- choice, as they would be at an attach; or with p_prefix, the prefix and a number, in the order of the originals.
declare
    v_index record;
begin
    for v_index in
        select
            pg_constraint.oid as constraint_oid,
            pg_get_constraintdef(pg_constraint.oid) as constraint_text,
            -- CREATE INDEX name ON table USING …: what comes after the two names
            substr(definition, strpos(definition, opening) + length(opening)) as rest_of_index,
            indisunique,
            spcname,
            quote_ident(p_prefix || row_number() over (order by indexrelid)) as new_name
        from pg_index
        join pg_class on pg_class.oid = indexrelid
        left join pg_tablespace on pg_tablespace.oid = pg_class.reltablespace
        left join pg_constraint
            on conindid = indexrelid and conrelid = indrelid and contype in ('p', 'u', 'x')
        cross join lateral pg_get_indexdef(indexrelid) as definition
        cross join lateral (
            select format('INDEX %I ON %s%I.%I USING ', pg_class.relname,
                case when owner.relkind = 'p' then 'ONLY ' else '' end, nspname, owner.relname) as opening
            from pg_class owner join pg_namespace on pg_namespace.oid = owner.relnamespace
            where owner.oid = indrelid
        ) told
        where indrelid = p_from and indisvalid
        order by indexrelid
    loop
        if v_index.constraint_oid is not null then
            execute format('alter table %s add %s %s', p_to,
                coalesce('constraint ' || v_index.new_name, ''), v_index.constraint_text);
        else
            execute format('create %s index %s on %s using %s', case when v_index.indisunique then 'unique' else '' end,
                coalesce(v_index.new_name, ''), p_to, v_index.rest_of_index);
        end if;
    end loop;
end
$$;
