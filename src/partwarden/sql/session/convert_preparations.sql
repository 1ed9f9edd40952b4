create function partwarden.convert_preparations(p_facts jsonb)
returns table (stage text, statement text, lock text, object text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
-- What has to be there before the exchange, and is not yet: place, the guard; prove, that it has been validated; and build, an
-- index each, one that was not finished removed before. Each is left out that an earlier run has made.
declare
    v_table regclass := (p_facts ->> 'table')::oid::regclass;
    v_proved boolean := (
        select convalidated from pg_constraint
        where conrelid = v_table and conname = 'partwarden_convert'
          and obj_description(oid, 'pg_constraint') = 'partwarden: ' || (p_facts ->> 'purpose'));
begin
    if v_proved is null then
        if to_regclass((p_facts ->> 'escape') || '_seen') is not null then
            return query select 'place', cleared.* from partwarden.convert_unguard(p_facts ->> 'name', p_facts ->> 'escape') as cleared;
        end if;
        return query select placed.* from partwarden.convert_guard(p_facts) as placed where placed.stage = 'place';
    end if;
    if v_proved is not true then
        return query select proved.* from partwarden.convert_guard(p_facts) as proved where proved.stage = 'prove';
    end if;
    return query
    with wanted as (
        select key.place, 1 as number, key.wide_name as name,
            partwarden.convert_with_control(key.rest, p_facts ->> 'control') as rest
        from partwarden.convert_keys(p_facts) as key where key.lacks_control
        union all
        select key.place, 2, key.local_name, key.rest
        from partwarden.convert_keys(p_facts) as key where key.lacks_control and key.kind = 'p'
    ), made as (
        select
            relname as name,
            indisvalid and exists (
                select from wanted
                where wanted.name = relname
                  and pg_get_indexdef(indexrelid) = format('CREATE UNIQUE INDEX %I ON %s %s', name, p_facts ->> 'name', rest)
            ) as is_ready
        from pg_index join pg_class on pg_class.oid = indexrelid
        where indrelid = v_table and left(relname, length(p_facts ->> 'prefix')) = p_facts ->> 'prefix'
    )
    select 'build', listed.statement, 'share update exclusive', p_facts ->> 'name'
    from (
        select 0 as place, 0 as number, format('drop index concurrently %I.%I', p_facts ->> 'schema', made.name) as statement
        from made where not made.is_ready
        union all
        select wanted.place, wanted.number,
            format('create unique index concurrently %I on %s %s', wanted.name, p_facts ->> 'name', wanted.rest)
        from wanted
        where wanted.name not in (select made.name from made where made.is_ready)
    ) listed
    order by listed.place, listed.number, listed.statement;
end
$$;
