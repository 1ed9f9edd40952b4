create function partwarden.convert_index_names(p_facts jsonb)
returns table (index_name name, new_name name)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
-- The names that the table's own indexes get, and those that are built for it, when it becomes a partition: as PostgreSQL
-- would choose them for that partition. Their old names are those of the partition set then.
declare
    v_index record;
    v_taken name[];
begin
    select array_agg(relname) into v_taken from pg_class
    where relnamespace = (select relnamespace from pg_class where oid = (p_facts ->> 'table')::oid::regclass);
    for v_index in
        select listed.name, listed.ending
        from partwarden.convert_keys(p_facts) as key
        cross join lateral (values
            (key.wide_name, key.wide_ending, key.lacks_control),
            (key.local_name, key.own_ending, key.lacks_control and key.kind = 'p'),
            (key.index_name, key.own_ending, not (key.lacks_control and key.kind is not distinct from 'p'))
        ) listed (name, ending, is_there)
        where listed.is_there
        order by key.place
    loop
        select candidate.name into new_name
        from generate_series(0, 10000) as number
        cross join lateral (select '_' || v_index.ending || case number when 0 then '' else number::text end as ending) told
        cross join lateral (
            select (left_part.name || told.ending)::name as name
            from (select substr((told.ending || (p_facts ->> 'child'))::name::text, length(told.ending) + 1) as name) left_part
        ) candidate
        where candidate.name <> all (v_taken)
        order by number
        limit 1;
        index_name := v_index.name;
        v_taken := v_taken || new_name;
        return next;
    end loop;
end
$$;
