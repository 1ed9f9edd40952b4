create function partwarden.convert_keys(p_facts jsonb)
returns table (
    place integer, index oid, index_name name, constraint_name name, kind "char", is_unique boolean, lacks_control boolean,
    is_identity boolean, definition text, constraint_definition text, rest text, wide_name name, local_name name,
    wide_ending text, own_ending text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
-- Every usable index of the table, those apart that converting itself builds, with what it will be. kind is that of its
-- constraint; is_identity says that it identifies rows to subscribers. rest is its definition from USING on.
--
-- A key that lacks the control column can't be one of the partition set: the set's has the control column besides, so the
-- table gets such an index, by the name wide_name. Of a primary key, which the table can have only one of, it keeps a unique
-- index: local_name. The endings are those of the names that PostgreSQL would choose.
select
    row_number() over (order by indexrelid)::integer,
    indexrelid,
    index_class.relname,
    conname,
    contype,
    indisunique,
    indisunique and control.attnum <> all (indkey[0:indnkeyatts - 1]),
    indisreplident,
    definition,
    pg_get_constraintdef(pg_constraint.oid),
    substr(definition, strpos(definition, opening) + length(opening)),
    (p_facts ->> 'prefix' || '_' || indexrelid)::name,
    (p_facts ->> 'prefix' || '_' || indexrelid || '_local')::name,
    case when contype = 'p' then 'pkey' when contype = 'u' then columns.names || '_' || control.attname || '_key'
         else columns.names || '_' || control.attname || '_idx' end,
    case when contype = 'p' and control.attnum = any (indkey[0:indnkeyatts - 1]) then 'pkey'
         when contype = 'u' then columns.names || '_key' when contype = 'x' then columns.names || '_excl'
         else columns.names || '_idx' end
from pg_index
join pg_class index_class on index_class.oid = indexrelid
join pg_attribute control on control.attrelid = indrelid and control.attname = p_facts ->> 'control'
left join pg_constraint on conindid = indexrelid and conrelid = indrelid and contype in ('p', 'u', 'x')
cross join lateral pg_get_indexdef(indexrelid) as definition
cross join lateral (select format('INDEX %I ON %s ', index_class.relname, p_facts ->> 'name') as opening) told
cross join lateral (
    -- Short enough for what comes before and after.
    select left(listed.names, case when octet_length(left(listed.names, 40)) <= 44 then 40 else 10 end) as names
    from (
        select coalesce(string_agg(coalesce(column_of.attname, 'expr'), '_' order by key.place), 'expr') as names
        from unnest(indkey[0:indnkeyatts - 1]) with ordinality as key (attnum, place)
        left join pg_attribute column_of on column_of.attrelid = indrelid and column_of.attnum = key.attnum and key.attnum > 0
    ) listed
) columns
where indrelid = (p_facts ->> 'table')::oid::regclass
  and indisvalid
  and left(index_class.relname, length(p_facts ->> 'prefix')) <> p_facts ->> 'prefix'
$$;
