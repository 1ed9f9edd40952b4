create function partwarden.convert_access(p_from regclass, p_name text)
returns table (stage text, statement text, lock text, object text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
-- What moves who may do what, and the comment, from a table to the one that bears its name afterwards (p_name): statements to
-- take it from the one, before it loses its name, and to give it to the other.
with subject as (
    select pg_class.*, pg_get_userbyid(relowner) as owner from pg_class where oid = p_from
), privilege as (
    select null::name as column_name, one.* from subject cross join lateral aclexplode(relacl) one
    union all
    select attname, one.*
    from pg_attribute cross join lateral aclexplode(attacl) one
    where attrelid = p_from and attnum > 0 and not attisdropped
), granted as (
    select
        grantee, is_grantable,
        case grantee when 0 then 'public' else quote_ident(pg_get_userbyid(grantee)) end as role,
        string_agg(lower(privilege_type) || coalesce(' (' || quote_ident(column_name) || ')', ''), ', '
            order by column_name nulls first, privilege_type) as list
    from privilege
    group by grantee, is_grantable
), policy as (
    select
        polname, polpermissive, polcmd, pg_policy.oid,
        pg_get_expr(polqual, polrelid) as using_text, pg_get_expr(polwithcheck, polrelid) as check_text,
        (select string_agg(case role when 0 then 'public' else quote_ident(pg_get_userbyid(role)) end, ', ')
         from unnest(polroles) as role) as roles
    from pg_policy where polrelid = p_from
)
select listed.stage, listed.statement, 'access exclusive', p_name
from (
    select 'take' as stage, 1 as place, polname as name, format('drop policy %I on %s', polname, p_name) as statement from policy
    union all
    select 'take', 2, null, format('alter table %s disable row level security', p_name) from subject where relrowsecurity
    union all
    select 'take', 3, null, format('alter table %s no force row level security', p_name) from subject where relforcerowsecurity
    union all
    select 'take', 4, null, format('revoke all on table %s from %s cascade', p_name, string_agg(distinct role, ', '))
    from granted, subject where grantee <> relowner having count(*) > 0
    union all
    -- Its owner may have taken rights from himself, and is to maintain it.
    select 'take', 5, null, format('grant all on table %s to %I', p_name, owner)
    from subject
    where relacl is not null and exists (
        select * from aclexplode(acldefault('r', relowner)) except select * from aclexplode(relacl))
    union all
    -- What default privileges have given already.
    select 'give', 1, null, format('revoke all on table %s from %s', p_name,
        string_agg(distinct case given.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(given.grantee)) end, ', '))
    from subject
    join pg_default_acl on defaclrole = relowner and defaclobjtype = 'r' and defaclnamespace in (0, relnamespace)
    cross join lateral aclexplode(defaclacl) given
    where given.grantee <> relowner
    having count(*) > 0
    union all
    select 'give', 2, null, format('revoke all on table %s from %I', p_name, owner)
    from subject
    where relacl is not null and exists (
        select * from aclexplode(acldefault('r', relowner)) except select * from aclexplode(relacl))
    union all
    select 'give', 3, role, format('grant %s on table %s to %s%s', list, p_name, role,
        case when is_grantable then ' with grant option' else '' end)
    from granted, subject
    where grantee <> relowner or exists (
        select * from aclexplode(acldefault('r', relowner)) except select * from aclexplode(relacl))
    union all
    select 'give', 4, polname, format('create policy %I on %s as %s for %s to %s%s%s', polname, p_name,
        case when polpermissive then 'permissive' else 'restrictive' end,
        case polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all' end,
        roles, ' using (' || using_text || ')', ' with check (' || check_text || ')')
    from policy
    union all
    select 'give', 5, polname, format('comment on policy %I on %s is %L', polname, p_name, obj_description(oid, 'pg_policy'))
    from policy where obj_description(oid, 'pg_policy') is not null
    union all
    select 'give', 6, null, format('alter table %s enable row level security', p_name) from subject where relrowsecurity
    union all
    select 'give', 7, null, format('alter table %s force row level security', p_name) from subject where relforcerowsecurity
    union all
    select 'give', 8, null, format('comment on table %s is %L', p_name, obj_description(p_from, 'pg_class'))
    where obj_description(p_from, 'pg_class') is not null
) listed
order by listed.stage, listed.place, listed.name
$$;
