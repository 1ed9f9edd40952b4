create function partwarden.convert_take_back(p_table regclass)
returns table (stage text, statement text, lock text, object text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
-- What takes back what has been prepared: clear, the guard; drop, what has been built; and what is left to do when the undoing
-- of a conversion was interrupted: validate, foreign keys.
with subject as (
    select nspname as schema, 'partwarden_convert_' || p_table::oid as prefix, relnamespace
    from pg_class join pg_namespace on pg_namespace.oid = relnamespace where pg_class.oid = p_table
)
select 'clear', cleared.*
from subject
cross join lateral partwarden.convert_unguard(p_table::text, format('%I.%I', schema, prefix)) as cleared
where (to_regclass(format('%I.%I', schema, prefix || '_seen')) is not null
       or exists (select from pg_constraint where conrelid = p_table and conname = 'partwarden_convert'))
union all
select 'drop', format('drop index concurrently %I.%I', schema, index_class.relname), 'share update exclusive', p_table::text
from subject
join pg_index on indrelid = p_table
join pg_class index_class on index_class.oid = indexrelid and left(relname, length(prefix)) = prefix
union all
select 'validate', listed.statement, 'share update exclusive', conrelid::regclass::text
from pg_constraint
cross join lateral obj_description(pg_constraint.oid, 'pg_constraint') as comment
cross join lateral (
    values
        (format('alter table %s validate constraint %I', conrelid::regclass, conname)),
        (format('comment on constraint %I on %s is %L', conname, conrelid::regclass,
            nullif(substr(comment, length(E'partwarden validates it\n') + 1), '')))
) listed (statement)
where contype = 'f' and confrelid = p_table and conparentid = 0 and not convalidated and comment like 'partwarden validates it%'
$$;
