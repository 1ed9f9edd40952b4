create function partwarden.convert_locks(p_from regclass, p_name text)
returns table (statement text, lock text, object text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
-- The locks that an exchange takes before it does anything. Views come first: whoever reads one locks it, and then the table
-- below, and LOCK TABLE would lock both.
select listed.statement, 'access exclusive', listed.object
from (
    select 1 as place, relation::text as object,
        format('alter view %s owner to %I', relation, pg_get_userbyid(owner)) as statement
    from partwarden.convert_dependents(p_from) where kind = 'view'
    union all
    select 2, p_name, format('lock table %s in access exclusive mode', p_name)
    union all
    select distinct 3, conrelid::regclass::text, format('lock table %s in access exclusive mode', conrelid::regclass)
    from pg_constraint
    where contype = 'f' and confrelid = p_from and conrelid <> p_from and conparentid = 0
      and conrelid not in (select inhrelid from pg_inherits where inhparent = p_from)
) listed
order by listed.place, listed.object
$$;
