create function partwarden.convert_pending(p_parent regclass)
returns table (stage text, statement text, lock text, object text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
-- What an interrupted conversion has left to do after its exchange: the same as convert_afterwards(). Until it has come to its
-- end, the guard is there.
with unchecked as (
    select key.oid, conrelid::regclass::text as on_table, conname,
        obj_description(key.oid, 'pg_constraint') as comment
    from partwarden.references_to(p_parent) as listed (oid)
    join pg_constraint key on key.oid = listed.oid
    where not convalidated and obj_description(key.oid, 'pg_constraint') like 'partwarden validates it%'
), own as (
    -- What a partition has of a foreign key to the set, and the set itself has not.
    select distinct on (conname) conname, pg_get_constraintdef(key.oid) as definition
    from pg_constraint key
    where contype = 'f' and confrelid = p_parent and conparentid = 0
      and conrelid in (select inhrelid from pg_inherits where inhparent = p_parent)
    order by conname, conrelid
), guarded as (
    select
        conrelid::regclass::text as name,
        partwarden.convert_facts(conrelid, substr(obj_description(pg_constraint.oid, 'pg_constraint'), length('partwarden: ') + 1)::jsonb)
            as facts
    from pg_constraint
    where conname = 'partwarden_convert' and contype = 'c'
      and conrelid in (select inhrelid from pg_inherits where inhparent = p_parent)
      and obj_description(pg_constraint.oid, 'pg_constraint') like 'partwarden: {%'
)
select listed.stage, listed.statement, listed.lock, listed.object
from (
    select 0 as place, ''::text as name, ahead.number::integer as number, ahead.stage, ahead.statement, ahead.lock, ahead.object
    from guarded
    cross join lateral partwarden.convert_ahead(guarded.facts, p_parent::text, (
        select nspname || '.' || relname from pg_class join pg_namespace on pg_namespace.oid = relnamespace
        where pg_class.oid = p_parent), guarded.name) with ordinality
        as ahead (stage, statement, lock, object, number)
    union all
    select 1, on_table || conname, 1, 'validate',
        format('alter table %s validate constraint %I', on_table, conname), 'share update exclusive',
        on_table
    from unchecked
    union all
    select 1, on_table || conname, 2, 'validate', format('comment on constraint %I on %s is %L', conname, on_table,
        nullif(substr(comment, length(E'partwarden validates it\n') + 1), '')), 'share update exclusive', on_table
    from unchecked
    union all
    select 2, conname, 1, 'refer', format('alter table %s add constraint %I %s', p_parent, conname,
        regexp_replace(definition, ' NOT VALID$', '')), 'share row exclusive', p_parent::text
    from own
    union all
    select 3, '', 1, 'analyze', format('analyze %s', p_parent), 'share update exclusive', p_parent::text
    from guarded
    union all
    select 4, '', cleared.number::integer, 'ready', cleared.statement, cleared.lock, cleared.object
    from guarded
    cross join lateral partwarden.convert_unguard(guarded.name, guarded.facts ->> 'escape') with ordinality
        as cleared (statement, lock, object, number)
) listed
order by listed.place, listed.name, listed.number
$$;
