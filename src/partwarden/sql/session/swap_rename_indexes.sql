create function partwarden.swap_rename_indexes(p_parent regclass, p_old regclass, p_new regclass)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Gives the indexes of the new default partition the names that those of the old one had; they were built in their order.
declare
    v_prefix text := (partwarden.swap_names(p_parent)).prefix;
    v_pair   record;
begin
    for v_pair in
        select
            number,
            format('%I.%I', nspname, relname) as old_index,
            relname                           as name,
            format('%I.%I', nspname, v_prefix || '_i' || number) as new_index
        from (
            select indexrelid, row_number() over (order by indexrelid) as number
            from pg_index where indrelid = p_old and indisvalid
        ) original
        join pg_class on pg_class.oid = indexrelid
        join pg_namespace on pg_namespace.oid = relnamespace
    loop
        execute format('alter index %s rename to %I', v_pair.old_index, v_prefix || '_o' || v_pair.number);
        execute format('alter index %s rename to %I', v_pair.new_index, v_pair.name);
    end loop;
end
$$;
