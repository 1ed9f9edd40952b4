create function partwarden.name_indexes_after(p_table regclass, p_child name)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Gives the indexes of what was the default partition names that begin with its new name, as PostgreSQL would choose them;
-- their old names are those of the new default partition's by now.
declare
    v_index record;
begin
    for v_index in
        select
            format('%I.%I', nspname, relname) as index,
            case when indisprimary then 'pkey' when contype = 'u' then columns.names || '_key'
                 when contype = 'x' then columns.names || '_excl' else coalesce(columns.names, 'expr') || '_idx' end as ending,
            relnamespace
        from pg_index
        join pg_class on pg_class.oid = indexrelid
        join pg_namespace on pg_namespace.oid = relnamespace
        left join pg_constraint on conindid = indexrelid and conrelid = indrelid and contype in ('p', 'u', 'x')
        cross join lateral (
            select string_agg(attname, '_' order by place) as names
            from unnest(indkey[0:indnkeyatts - 1]) with ordinality as key (attnum, place)
            join pg_attribute on attrelid = indrelid and pg_attribute.attnum = key.attnum
        ) columns
        where indrelid = p_table
        order by indexrelid
    loop
        execute format('alter index %s rename to %I', v_index.index, (
            select candidate.name
            from (
                select number, (substr((v_index.ending || '_' || number || p_child)::name::text,
                    length(v_index.ending || '_' || number) + 1)
                    || '_' || v_index.ending || case number when 0 then '' else number::text end)::name as name
                from generate_series(0, 1000) as number
            ) candidate
            where not exists (
                select from pg_class where relnamespace = v_index.relnamespace and relname = candidate.name)
            order by candidate.number
            limit 1));
    end loop;
end
$$;
