create function partwarden.swap_key(p_parent regclass)
returns name[]
language sql stable
set search_path = pg_catalog, pg_temp
as $$
-- Columns without nulls by which a row of a partition is found fast: the primary key's, those of another unique index, or
-- the control column. Null where there is none.
select coalesce(
    (
        select array_agg(attname order by place)
        from (
            select indrelid, indkey, indnkeyatts
            from pg_index
            where indrelid = p_parent and indisunique and indisvalid and indpred is null and indexprs is null
              and not exists (
                  select from unnest(indkey[0:indnkeyatts - 1]) as key (attnum)
                  join pg_attribute on attrelid = indrelid and pg_attribute.attnum = key.attnum
                  where not attnotnull)
            order by indisprimary desc, indexrelid
            limit 1
        ) chosen
        cross join unnest(chosen.indkey[0:chosen.indnkeyatts - 1]) with ordinality as key (attnum, place)
        join pg_attribute on attrelid = chosen.indrelid and pg_attribute.attnum = key.attnum
    ),
    (
        select array[attname]
        from pg_partitioned_table
        join pg_attribute on attrelid = partrelid and attnum = partattrs[0]
        where partrelid = p_parent and attnotnull
    ))
$$;
