-- concern: lost-with-tables
-- uses: partman
-- why: the update to 5.0.0 drops the tables of the configuration and makes them anew, without what others have put there
select
    '5.0.0'::text   as since,
    'warning'::text as severity,
    format('%I.%I', partman.schema, class.relname) as object,
    lost.what,
    '{}'::text[]    as before,
    lost.after
from partman
join pg_namespace namespace on namespace.nspname = partman.schema
join pg_class class on class.relnamespace = namespace.oid and class.relname in ('part_config', 'part_config_sub')
cross join lateral (
    select format('its trigger %I goes', trigger.tgname), array[pg_get_triggerdef(trigger.oid) || ';']
    from pg_trigger trigger
    where trigger.tgrelid = class.oid and not trigger.tgisinternal
    union all
    select format('its row-level security goes, and with it %s', string_agg(policy.polname, ', ' order by policy.polname)),
        array_agg(format('create policy %I on %I.%I as %s for %s to %s%s%s;', policy.polname, partman.schema, class.relname,
            case when policy.polpermissive then 'permissive' else 'restrictive' end,
            case policy.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete'
                else 'all' end,
            (select string_agg(case role when 0 then 'public' else quote_ident(pg_get_userbyid(role)) end, ', ')
             from unnest(policy.polroles) role),
            ' using (' || pg_get_expr(policy.polqual, policy.polrelid) || ')',
            ' with check (' || pg_get_expr(policy.polwithcheck, policy.polrelid) || ')') order by policy.polname)
        || format('alter table %I.%I enable row level security;', partman.schema, class.relname)
    from pg_policy policy
    where policy.polrelid = class.oid and class.relrowsecurity
    having count(*) > 0
    union all
    select format('it is no longer in publication %I', publication.pubname),
        array[format('alter publication %I add table %I.%I;', publication.pubname, partman.schema, class.relname)]
    from pg_publication_rel member
    join pg_publication publication on publication.oid = member.prpubid
    where member.prrelid = class.oid
) lost (what, after)
