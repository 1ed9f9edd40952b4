create function partwarden.convert_undo_afterwards(p_parent regclass)
returns table (stage text, statement text, lock text, object text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
-- What follows when a conversion has been undone: foreign keys that reference the table are validated. Where that is not done,
-- convert_take_back() has it done.
select 'validate', moved.statement, moved.lock, moved.object
from pg_class
join pg_namespace on pg_namespace.oid = relnamespace
cross join lateral partwarden.convert_references(p_parent, format('%I.%I', nspname, relname)) as moved
where pg_class.oid = p_parent and moved.stage = 'later'
union all
select 'validate', listed.statement, 'share update exclusive', p_parent::text
from pg_constraint
cross join lateral (
    values
        (format('alter table %s validate constraint %I', p_parent, conname)),
        (format('comment on constraint %I on %s is null', conname, p_parent))
) listed (statement)
where contype = 'f' and confrelid = p_parent and conparentid = 0
  and conrelid in (p_parent, partwarden.convert_origin(p_parent))
$$;
