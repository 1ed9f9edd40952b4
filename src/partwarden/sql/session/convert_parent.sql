create function partwarden.convert_parent(p_facts jsonb)
returns table (statement text, lock text, object text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
-- Makes the partitioned table: columns, constraints, keys and indexes of the table that it takes the name of. That one has
-- its new name by then, and so have its indexes, so that each of these gets the old one.
with subject as (
    select pg_class.*, spcname from pg_class left join pg_tablespace on pg_tablespace.oid = reltablespace
    where pg_class.oid = (p_facts ->> 'table')::oid::regclass
), told as (
    select p_facts ->> 'name' as name, p_facts ->> 'new_name' as new_name
)
select listed.statement, listed.lock, coalesce(listed.object, told.name)
from told
cross join lateral (
    select 1 as place, null::text as detail, format('create table %s (like %s including comments including compression '
        'including defaults including generated including statistics including storage) partition by range (%I)%s',
        name, new_name, p_facts ->> 'control', coalesce(' tablespace ' || quote_ident(spcname), '')) as statement,
        'access share' as lock, new_name as object
    from subject
    union all
    select 2, attname, format('alter table %s alter column %I set statistics %s', name, attname,
        to_jsonb(pg_attribute) ->> 'attstattarget'), null, null
    from pg_attribute, subject
    where attrelid = subject.oid and attnum > 0 and not attisdropped
      and (to_jsonb(pg_attribute) ->> 'attstattarget')::integer >= 0
    union all
    select 3, attname || option, format('alter table %s alter column %I set (%s)', name, attname, option),
        null, null
    from pg_attribute cross join subject cross join unnest(attoptions) as option
    where attrelid = subject.oid and attnum > 0 and not attisdropped and option like 'n\_distinct%'
    union all
    select 4, conname, format('alter table %s add constraint %I %s', name, conname, pg_get_constraintdef(pg_constraint.oid)),
        null, null
    from pg_constraint, subject
    where conrelid = subject.oid and contype = 'c' and not connoinherit and conname <> 'partwarden_convert'
    union all
    -- Those that the table has as they are come first: an index of the table becomes part of the first one that it fits.
    select 5, concat(key.lacks_control::integer, to_char(key.place, '09999')), case
            when key.constraint_name is null and key.lacks_control
                then partwarden.convert_with_control(key.definition, p_facts ->> 'control')
            when key.constraint_name is null then key.definition
            when key.lacks_control then format('alter table %s add constraint %I %s', name, key.constraint_name,
                partwarden.convert_with_control(key.constraint_definition, p_facts ->> 'control'))
            else format('alter table %s add constraint %I %s', name, key.constraint_name, key.constraint_definition)
        end, null, null
    from partwarden.convert_keys(p_facts) as key
    where key.kind is distinct from 'x'
    union all
    select 6, conname, format('alter table %s add constraint %I %s', name, conname, pg_get_constraintdef(pg_constraint.oid)),
        'share row exclusive', confrelid::regclass::text
    from pg_constraint, subject
    where conrelid = subject.oid and contype = 'f' and confrelid <> subject.oid
    union all
    select 7, conname, format('comment on constraint %I on %s is %L', conname, name, obj_description(pg_constraint.oid, 'pg_constraint')),
        null, null
    from pg_constraint, subject
    where conrelid = subject.oid and conname <> 'partwarden_convert' and not connoinherit and contype in ('c', 'p', 'u', 'f')
      and (contype <> 'f' or confrelid <> subject.oid)
      and obj_description(pg_constraint.oid, 'pg_constraint') is not null
    union all
    select 8, key.index_name, format('comment on index %I.%I is %L', p_facts ->> 'schema', key.index_name, obj_description(key.index, 'pg_class')),
        null, null
    from partwarden.convert_keys(p_facts) as key
    where key.kind is distinct from 'x' and obj_description(key.index, 'pg_class') is not null
    union all
    select 9, null, format('alter table %s replica identity %s', name, case relreplident
        when 'f' then 'full' when 'n' then 'nothing'
        else format('using index %I', (select key.index_name from partwarden.convert_keys(p_facts) as key where key.is_identity)) end),
        null, null
    from subject where relreplident <> 'd'
) listed
order by listed.place, listed.detail
$$;
