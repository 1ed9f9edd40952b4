create function partwarden.convert_sequences(p_from regclass, p_name text, p_new_name text)
returns table (stage text, statement text, lock text, object text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
-- What moves the sequences of a table's columns to the one that bears its name afterwards (p_name), while the table itself is
-- called p_new_name. One that a column owns is owned by the other's column; an identity column's belongs to the column, so the
-- other's gets a new one of the same name that goes on where this one stands.
select listed.stage, listed.statement, listed.lock, listed.object
from (
    select
        sequence.oid, attname, attidentity, attnum, deptype, nspname, relname, relacl, relowner,
        format('%I.%I', nspname, relname) as name,
        format('%I.%I', nspname, 'partwarden_convert_' || sequence.oid) as interim,
        seqincrement, seqmin, seqmax, seqstart, seqcache, seqcycle,
        obj_description(sequence.oid, 'pg_class') as comment
    from pg_depend
    join pg_class sequence on sequence.oid = objid and sequence.relkind = 'S'
    join pg_namespace on pg_namespace.oid = relnamespace
    join pg_sequence on seqrelid = sequence.oid
    join pg_attribute on attrelid = refobjid and attnum = refobjsubid
    where classid = 'pg_class'::regclass and refclassid = 'pg_class'::regclass and refobjid = p_from and deptype in ('a', 'i')
) owned
cross join lateral (
    select 'give' as stage, 1 as place, format('alter sequence %s owned by %s.%I', name, p_name, attname) as statement,
        'share row exclusive' as lock, name as object
    where deptype = 'a'
    union all
    select 'identity', 1, format(
        'alter table %s alter column %I add generated %s as identity (sequence name %s increment %s minvalue %s maxvalue %s '
        'start %s cache %s%s)', p_name, attname, case attidentity when 'a' then 'always' else 'by default' end, interim,
        seqincrement, seqmin, seqmax, seqstart, seqcache, case when seqcycle then ' cycle' else '' end),
        'access exclusive', p_name
    where deptype = 'i'
    union all
    select 'identity', 2, format('select setval(%L, last_value, is_called) from %s', interim, name), 'access share', name
    where deptype = 'i'
    union all
    select 'identity', 3, format('alter table %s alter column %I drop identity', p_new_name, attname),
        'access exclusive', p_new_name
    where deptype = 'i'
    union all
    select 'identity', 4, format('alter sequence %s rename to %I', interim, relname), 'access exclusive', interim
    where deptype = 'i'
    union all
    select 'identity', 5, format('grant %s on sequence %s to %s%s', string_agg(lower(privilege_type), ', '), name,
        case grantee when 0 then 'public' else quote_ident(pg_get_userbyid(grantee)) end,
        case when is_grantable then ' with grant option' else '' end), null, name
    from aclexplode(relacl)
    where deptype = 'i' and grantee <> relowner
    group by grantee, is_grantable
    union all
    select 'identity', 6, format('comment on sequence %s is %L', name, comment), null, name
    where deptype = 'i' and comment is not null
) listed
order by attnum, listed.place
$$;
