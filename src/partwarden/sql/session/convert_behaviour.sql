create function partwarden.convert_behaviour(p_from regclass, p_name text)
returns table (stage text, statement text, lock text, object text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
-- What moves triggers, rules and publications from a table to the one that bears its name afterwards (p_name), and has views,
-- rules, policies and functions that refer to the one refer to the other: they are made anew under the same identity, so that
-- their privileges, owners and comments stay.
with fires as (
    select pg_trigger.*, pg_get_triggerdef(oid) as definition, obj_description(oid, 'pg_trigger') as comment
    from pg_trigger where tgrelid = p_from and not tgisinternal and tgparentid = 0 and tgname <> 'partwarden_convert'
), own_rule as (
    select rulename, ev_enabled, rtrim(pg_get_ruledef(oid), ';') as definition, obj_description(oid, 'pg_rewrite') as comment
    from pg_rewrite where ev_class = p_from
), published as (
    select pg_publication.pubname, format('alter publication %I add table %s%s%s', pg_publication.pubname, p_name,
        (select format(' (%s)', string_agg(quote_ident(attname), ', ' order by attnum))
         from pg_attribute
         where attrelid = p_from and to_jsonb(attnum) <@ (to_jsonb(pg_publication_rel) -> 'prattrs')
         having count(*) > 0),
        (select ' where (' || (to_jsonb(pg_publication_tables) ->> 'rowfilter') || ')'
         from pg_publication_tables
         join pg_class on pg_class.oid = p_from and relname = tablename
         join pg_namespace on pg_namespace.oid = relnamespace and nspname = schemaname
         where pg_publication_tables.pubname = pg_publication.pubname)) as statement
    from pg_publication_rel join pg_publication on pg_publication.oid = prpubid
    where prrelid = p_from
)
select listed.stage, listed.statement, listed.lock, listed.object
from (
    select 'take' as stage, 1 as place, tgname as name, format('drop trigger %I on %s', tgname, p_name) as statement,
        'access exclusive' as lock, p_name as object from fires
    union all
    select 'take', 2, rulename, format('drop rule %I on %s', rulename, p_name), 'access exclusive', p_name from own_rule
    union all
    select 'take', 3, pubname, format('alter publication %I drop table %s', pubname, p_name), 'share update exclusive', p_name
    from published
    union all
    select 'give', 1, tgname, definition, 'share row exclusive', p_name from fires
    union all
    select 'give', 2, tgname, format('alter table %s %s trigger %I', p_name,
        case tgenabled when 'D' then 'disable' when 'A' then 'enable always' else 'enable replica' end, tgname),
        'share row exclusive', p_name
    from fires where tgenabled <> 'O'
    union all
    select 'give', 3, tgname, format('comment on trigger %I on %s is %L', tgname, p_name, comment),
        'share update exclusive', p_name from fires where comment is not null
    union all
    select 'give', 4, rulename, definition, 'access exclusive', p_name from own_rule
    union all
    select 'give', 5, rulename, format('alter table %s %s rule %I', p_name,
        case ev_enabled when 'D' then 'disable' when 'A' then 'enable always' else 'enable replica' end, rulename),
        'access exclusive', p_name
    from own_rule where ev_enabled <> 'O'
    union all
    select 'give', 6, rulename, format('comment on rule %I on %s is %L', rulename, p_name, comment),
        'share update exclusive', p_name from own_rule where comment is not null
    union all
    select 'give', 7, relation::text, format('create or replace view %s%s as %s', relation,
        (select format(' with (%s)', array_to_string(reloptions, ', ')) from pg_class
         where oid = relation and reloptions is not null),
        rtrim(pg_get_viewdef(relation), ';')),
        'access exclusive', relation::text
    from partwarden.convert_dependents(p_from) where kind = 'view'
    union all
    select 'give', 8, relation::text,
        regexp_replace(rtrim(pg_get_ruledef(dependent.object), ';'), '^CREATE RULE', 'CREATE OR REPLACE RULE'),
        'access exclusive', relation::text
    from partwarden.convert_dependents(p_from) as dependent where kind = 'rule'
    union all
    select 'give', 9, relation::text, format('alter policy %I on %s%s%s', polname, relation,
        ' using (' || pg_get_expr(polqual, polrelid) || ')', ' with check (' || pg_get_expr(polwithcheck, polrelid) || ')'),
        'access exclusive', relation::text
    from partwarden.convert_dependents(p_from) as dependent join pg_policy on pg_policy.oid = dependent.object
    where kind = 'policy'
    union all
    select 'give', 10, dependent.described, rtrim(pg_get_functiondef(dependent.object), E'\n'), null, dependent.described
    from partwarden.convert_dependents(p_from) as dependent where kind = 'function'
    union all
    select 'give', 11, pubname, published.statement, 'share update exclusive', p_name from published
) listed
order by listed.stage, listed.place, listed.name
$$;
