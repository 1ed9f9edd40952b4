create function partwarden.swap_key(p_parent regclass)
returns name[]
language sql stable
set search_path = pg_catalog, pg_temp
as $$
-- The columns that tell one row of a partition from another: the primary key's, or those of another unique index without
-- nulls. Null where there is none; then whole rows are compared.
select array_agg(attname order by place)
from (
    select indexrelid, indrelid, indkey
    from pg_index
    where indrelid = p_parent and indisunique and indisvalid and indimmediate and indpred is null and indexprs is null
      and not exists (
          select from unnest(indkey[0:indnkeyatts - 1]) as key (attnum)
          join pg_attribute on attrelid = indrelid and pg_attribute.attnum = key.attnum
          where not attnotnull)
    order by indisprimary desc, indexrelid
    limit 1
) chosen
join pg_index on pg_index.indexrelid = chosen.indexrelid
cross join unnest(chosen.indkey[0:indnkeyatts - 1]) with ordinality as key (attnum, place)
join pg_attribute on attrelid = chosen.indrelid and pg_attribute.attnum = key.attnum
$$;
