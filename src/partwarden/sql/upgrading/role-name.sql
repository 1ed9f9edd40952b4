-- concern: role-name
-- uses: partman, given
-- why: updates of pg_partman 5 grant again what had been granted on routines that they make anew, and put names of roles in
--      quotes as they are: a name with a quote in it makes the update fail
select
    remade.since,
    'critical'::text as severity,
    format('role %s', granted.grantee) as object,
    format('the update trips over its name, because it may execute %s', string_agg(distinct granted.proname, ', ')) as what,
    array_agg(format('revoke execute on routine %I.%I from %s;', partman.schema, granted.proname, granted.grantee)
        order by granted.proname) as before,
    array_agg(format('grant execute on routine %I.%I to %s%s;', partman.schema, granted.proname, granted.grantee, granted.option)
        order by granted.proname) as after
from partman
cross join (
    select proc.proname, quote_ident(role.rolname) as grantee,
        case when acl.is_grantable then ' with grant option' else '' end as option
    from pg_extension extension
    join pg_depend depend on depend.refobjid = extension.oid and depend.refclassid = 'pg_extension'::regclass
        and depend.deptype = 'e' and depend.classid = 'pg_proc'::regclass
    join pg_proc proc on proc.oid = depend.objid
    cross join lateral aclexplode(proc.proacl) acl
    join pg_roles role on role.oid = acl.grantee
    where extension.extname = 'pg_partman' and acl.privilege_type = 'EXECUTE' and role.rolname like '%"%'
) granted
join (
    select dropped.name, min(dropped.since) as since
    from given
    cross join jsonb_to_recordset(given.fact -> 'dropped') dropped (kind text, name text, since text, keeps_grants boolean)
    where dropped.kind = 'routine'
    group by dropped.name
    having bool_or(dropped.keeps_grants)
) remade on remade.name = granted.proname
group by partman.schema, granted.grantee, remade.since
