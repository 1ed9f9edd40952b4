create function partwarden.convert_warnings(p_facts jsonb)
returns setof text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
-- What will be different afterwards, in words.
with subject as (
    select pg_class.*, (p_facts ->> 'control') as control from pg_class where oid = (p_facts ->> 'table')::oid::regclass
)
select listed.told
from subject
cross join lateral (
    select 1 as place, format('%s %I lacks %I, which each key of a partition set has to have: the set''s is %s. Partition %I keeps '
        'the old one as a unique index, so it still holds among the rows there; that a new row repeats one of another '
        'partition is not refused any more, and ON CONFLICT has to name all columns of the new key',
        case key.kind when 'p' then 'primary key' when 'u' then 'unique constraint' else 'unique index' end,
        coalesce(key.constraint_name, key.index_name), control,
        coalesce(partwarden.convert_with_control(key.constraint_definition, control::name),
            partwarden.convert_with_control(key.rest, control::name)),
        p_facts ->> 'child') as told
    from partwarden.convert_keys(p_facts) as key where key.lacks_control
    union all
    select 2, format('exclusion constraint %I stays with partition %I; new partitions don''t have it', key.constraint_name,
        p_facts ->> 'child')
    from partwarden.convert_keys(p_facts) as key where key.kind = 'x'
    union all
    select 3, format('check constraint %I is declared NO INHERIT: it stays with partition %I; new partitions don''t have it', conname,
        p_facts ->> 'child')
    from pg_constraint where conrelid = subject.oid and contype = 'c' and connoinherit
    union all
    select 4, format('index %s is invalid and is left as it is', indexrelid::regclass)
    from pg_index join pg_class index_class on index_class.oid = indexrelid
    where indrelid = subject.oid and not indisvalid
      and left(index_class.relname, length(p_facts ->> 'prefix')) <> p_facts ->> 'prefix'
    union all
    select 5, format('trigger %I fires when it is decided already which partition a row goes to, so it must not change %I', tgname,
        control)
    from pg_trigger where tgrelid = subject.oid and not tgisinternal and tgtype & 3 = 3 and tgname <> 'partwarden_convert'
    union all
    select 6, format('%I becomes NOT NULL', control)
    where (p_facts ->> 'is_nullable')::boolean and not (p_facts ->> 'has_nulls')::boolean
    union all
    select 7, 'to row triggers, an update that moves a row to another partition is a delete and an insert'
    where exists (select from pg_trigger where tgrelid = subject.oid and not tgisinternal and tgtype & 17 = 17
                  and tgname <> 'partwarden_convert')
    union all
    select 8, format('security label of %I is not carried over: %s', provider, label)
    from pg_seclabel where classoid = 'pg_class'::regclass and objoid = subject.oid
    union all
    select 9, 'new partitions are unlogged, too' where relpersistence = 'u'
    union all
    select 10, 'pg_partman 4 does not give new partitions the replica identity of the table'
    where relreplident <> 'd' and (p_facts ->> 'is_partman_4')::boolean
) listed
order by listed.place, listed.told
$$;
