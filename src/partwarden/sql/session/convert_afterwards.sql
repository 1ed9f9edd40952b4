create function partwarden.convert_afterwards(p_facts jsonb)
returns table (stage text, statement text, lock text, object text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
-- What follows the exchange, when nobody has to wait for it: make, the other partitions; validate, the foreign keys of other
-- tables and the set's own to itself; refer, the latter for the parent; analyze, since the planner knows nothing of the
-- parent yet; ready, the guard, which tells until then that this is not the end.
select ahead.*
from partwarden.convert_ahead(p_facts, p_facts ->> 'name', p_facts ->> 'parent_table', p_facts ->> 'final_name') as ahead
union all
select 'validate', moved.statement, moved.lock, moved.object
from partwarden.convert_references((p_facts ->> 'table')::oid::regclass, p_facts ->> 'name') as moved
where moved.stage = 'later'
union all
select 'validate', format('alter table %s validate constraint %I', p_facts ->> 'final_name', conname),
    'share update exclusive', p_facts ->> 'final_name'
from pg_constraint
where contype = 'f' and conrelid = confrelid and conrelid = (p_facts ->> 'table')::oid::regclass and convalidated
union all
select 'validate', format('comment on constraint %I on %s is null', conname, p_facts ->> 'final_name'),
    'share update exclusive', p_facts ->> 'final_name'
from pg_constraint
where contype = 'f' and conrelid = confrelid and conrelid = (p_facts ->> 'table')::oid::regclass and convalidated
union all
select 'refer', format('alter table %s add constraint %I %s', p_facts ->> 'name', conname, pg_get_constraintdef(oid)),
    'share row exclusive', p_facts ->> 'name'
from pg_constraint
where contype = 'f' and conrelid = confrelid and conrelid = (p_facts ->> 'table')::oid::regclass and convalidated
union all
select 'refer', format('comment on constraint %I on %s is %L', conname, p_facts ->> 'name', obj_description(oid, 'pg_constraint')),
    'share update exclusive', p_facts ->> 'name'
from pg_constraint
where contype = 'f' and conrelid = confrelid and conrelid = (p_facts ->> 'table')::oid::regclass and convalidated
  and obj_description(oid, 'pg_constraint') is not null
union all
select 'analyze', format('analyze %s', p_facts ->> 'name'), 'share update exclusive', p_facts ->> 'name'
union all
select 'ready', cleared.*
from partwarden.convert_unguard(p_facts ->> 'final_name', p_facts ->> 'escape') as cleared
$$;
