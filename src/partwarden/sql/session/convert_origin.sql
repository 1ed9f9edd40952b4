create function partwarden.convert_origin(p_parent regclass)
returns regclass
language sql stable
set search_path = pg_catalog, pg_temp
as $$
-- The partition that a set was converted from: the only one that is older than the set itself; null where there is none, as
-- when it has been drained.
select min(inhrelid)::regclass
from pg_inherits join pg_class on pg_class.oid = inhrelid
where inhparent = p_parent and inhrelid < p_parent and relkind = 'r'
having count(*) = 1
$$;
