-- concern: routine-grants
-- uses: partman, given
-- why: the update drops routines of pg_partman and makes them anew: what was granted on them gets lost, and what was
--      revoked from everybody is everybody's again. Only some updates after 5.0 carry grants over
with member as (
    select proc.oid, proc.proname, proc.proowner, proc.proacl
    from pg_extension extension
    join pg_depend depend on depend.refobjid = extension.oid and depend.refclassid = 'pg_extension'::regclass
        and depend.deptype = 'e' and depend.classid = 'pg_proc'::regclass
    join pg_proc proc on proc.oid = depend.objid
    where extension.extname = 'pg_partman'
), remade as (
    -- What is not there any more at the target can't be granted.
    select dropped.name, dropped.since, dropped.keeps_grants
    from given
    cross join jsonb_to_recordset(given.fact -> 'dropped')
        dropped (kind text, name text, since text, keeps_grants boolean, is_gone boolean)
    where dropped.kind = 'routine' and not dropped.is_gone
), privilege as (
    select member.proname, quote_ident(pg_get_userbyid(acl.grantee)) as grantee,
        case when acl.is_grantable then ' with grant option' else '' end as option
    from member
    cross join lateral aclexplode(member.proacl) acl
    where acl.privilege_type = 'EXECUTE' and acl.grantee not in (0, member.proowner)
), closed as (
    -- Routines that not everybody may execute.
    select member.proname
    from member
    where member.proacl is not null
      and not exists (select from aclexplode(member.proacl) acl where acl.grantee = 0 and acl.privilege_type = 'EXECUTE')
), caller as (
    select distinct privilege.grantee from privilege where privilege.proname in ('run_maintenance', 'create_parent')
)
-- Some routines are closed: the new ones have to be, too, and those who call one of them need those that it calls.
select
    min(remade.since) as since,
    'critical'::text  as severity,
    format('routines of %I', partman.schema) as object,
    format('everybody may execute them after the update; today nobody but %s may',
        coalesce((select string_agg(caller.grantee, ', ' order by caller.grantee) from caller), 'their owner')) as what,
    '{}'::text[]      as before,
    array[format(
$do$do $$
declare
    routine regprocedure;
begin
    for routine in
        select depend.objid
        from pg_catalog.pg_depend depend
        join pg_catalog.pg_extension extension on extension.oid = depend.refobjid
        where depend.refclassid = 'pg_catalog.pg_extension'::regclass and extension.extname = 'pg_partman'
          and depend.deptype = 'e' and depend.classid = 'pg_catalog.pg_proc'::regclass
    loop
        execute format('revoke execute on routine %%s from public', routine);%s
    end loop;
end
$$;$do$,
        coalesce((select string_agg(
            format(e'\n        execute format(''grant execute on routine %%s to %%s'', routine, %L);', caller.grantee), ''
            order by caller.grantee) from caller), ''))] as after
from partman
cross join remade
where exists (select from closed)
group by partman.schema
union all
-- Otherwise the grants mean something only once somebody revokes what everybody may.
select
    min(lost.since),
    'warning',
    format('routines of %I', partman.schema),
    format('%s loses the right to execute %s of them', lost.grantee, count(*)),
    '{}',
    array[format('grant execute on routine %s to %s%s;',
        string_agg(format('%I.%I', partman.schema, lost.proname), ', ' order by lost.proname), lost.grantee, lost.option)]
from partman
cross join (
    select privilege.grantee, privilege.option, privilege.proname, min(remade.since) as since
    from privilege
    join remade on remade.name = privilege.proname and not remade.keeps_grants
    group by privilege.grantee, privilege.option, privilege.proname
) lost
where not exists (select from closed)
group by partman.schema, lost.grantee, lost.option
