-- concern: dependent-object
-- uses: partman, given
-- why: the update drops this table or routine of pg_partman and makes it anew; PostgreSQL refuses that as long as
--      something else depends on it
with recursive extension as (
    select oid from pg_extension where extname = 'pg_partman'
), member as (
    select depend.classid, depend.objid
    from pg_depend depend
    join extension on depend.refobjid = extension.oid
    where depend.refclassid = 'pg_extension'::regclass and depend.deptype = 'e'
), dropped as (
    select dropped.kind, dropped.name, dropped.part, dropped.since
    from given
    cross join jsonb_to_recordset(given.fact -> 'dropped') dropped (kind text, name text, part text, since text)
), root as (
    select 'pg_proc'::regclass as classid, proc.oid as objid, 0 as objsubid, dropped.since, dropped.name
    from dropped
    join pg_proc proc on proc.proname = dropped.name
    join member on member.classid = 'pg_proc'::regclass and member.objid = proc.oid
    where dropped.kind = 'routine'
    union all
    select address.classid, address.objid, address.objsubid, dropped.since, concat_ws('.', dropped.name, dropped.part)
    from dropped
    join pg_class class on class.relname = dropped.name
    join member on member.classid = 'pg_class'::regclass and member.objid = class.oid
    left join pg_attribute attribute on attribute.attrelid = class.oid and attribute.attname = dropped.part
    cross join lateral (
        values ('pg_class'::regclass, class.oid, coalesce(attribute.attnum, 0)::integer),
               ('pg_type'::regclass, case when dropped.part is null then class.reltype end, 0),
               ('pg_type'::regclass, case when dropped.part is null then
                    (select typarray from pg_type where oid = class.reltype) end, 0)
    ) address (classid, objid, objsubid)
    where dropped.kind in ('table', 'column') and address.objid is not null
      and (dropped.kind = 'table' or attribute.attnum is not null)
      and not (dropped.kind = 'column' and exists (
          select from dropped whole where whole.kind = 'table' and whole.name = dropped.name and whole.since = dropped.since))
), gone_column as (
    select class.oid, attribute.attnum, attribute.attname
    from dropped
    join pg_class class on class.relname = dropped.name
    join member on member.classid = 'pg_class'::regclass and member.objid = class.oid
    join pg_attribute attribute on attribute.attrelid = class.oid and attribute.attname = dropped.part
    where dropped.kind = 'column'
), dependent as (
    select found.classid, found.objid, root.since, root.name as needs, 1 as depth, (
        select string_agg(distinct gone_column.attname, ', ')
        from gone_column
        join pg_depend reading on reading.refclassid = 'pg_class'::regclass and reading.refobjid = gone_column.oid
            and reading.refobjsubid = gone_column.attnum
        where reading.classid = depend.classid and reading.objid = depend.objid) as reads_gone
    from root
    join pg_depend depend on depend.refclassid = root.classid and depend.refobjid = root.objid
        and (root.objsubid = 0 or depend.refobjsubid = root.objsubid) and depend.deptype = 'n'
    cross join lateral (
        -- A view depends by the rule that it is made of.
        select 'pg_class'::regclass, rewrite.ev_class from pg_rewrite rewrite
        where depend.classid = 'pg_rewrite'::regclass and rewrite.oid = depend.objid
        union all
        select depend.classid::regclass, depend.objid where depend.classid <> 'pg_rewrite'::regclass
    ) found (classid, objid)
    where not exists (select from member where member.classid = found.classid and member.objid = found.objid)
      -- What belongs to a table of pg_partman goes with it.
      and not exists (
          select from pg_constraint own join member on member.classid = 'pg_class'::regclass and member.objid = own.conrelid
          where found.classid = 'pg_constraint'::regclass and own.oid = found.objid)
      and not exists (
          select from pg_attrdef own join member on member.classid = 'pg_class'::regclass and member.objid = own.adrelid
          where found.classid = 'pg_attrdef'::regclass and own.oid = found.objid)
      and not exists (
          select from pg_policy own join member on member.classid = 'pg_class'::regclass and member.objid = own.polrelid
          where found.classid = 'pg_policy'::regclass and own.oid = found.objid)
    union all
    select 'pg_class'::regclass, rewrite.ev_class, dependent.since, dependent.needs, dependent.depth + 1,
        dependent.reads_gone
    from dependent
    join pg_depend depend on depend.refclassid = dependent.classid and depend.refobjid = dependent.objid
        and depend.deptype = 'n' and depend.classid = 'pg_rewrite'::regclass
    join pg_rewrite rewrite on rewrite.oid = depend.objid and rewrite.ev_class <> dependent.objid
    where dependent.depth < 20
), told as (
    select dependent.classid, dependent.objid, dependent.since, max(dependent.depth) as depth,
        string_agg(distinct dependent.needs, ', ') as needs,
        string_agg(distinct dependent.reads_gone, ', ') as reads_gone
    from dependent
    group by dependent.classid, dependent.objid, dependent.since
)
select
    told.since,
    'critical'::text as severity,
    identified.identity as object,
    format('%s that depends on %s%s', identified.type, told.needs,
        '; write it anew without ' || told.reads_gone) as what,
    case
        when class.relkind in ('v', 'm') then array[format('drop %s %s;', identified.type, identified.identity)]
        when proc.oid is not null then array[format('drop routine %s;', identified.identity)]
        when own.contype = 'f'
            then array[format('alter table %s drop constraint %I;', own.conrelid::regclass, own.conname)]
        else '{}'
    end as before,
    case
        when told.reads_gone is not null then '{}'
        when class.relkind in ('v', 'm') then array[
            format('create %s %s as%s%s', identified.type, identified.identity, e'\n', pg_get_viewdef(class.oid)),
            format('alter %s %s owner to %I;', identified.type, identified.identity, pg_get_userbyid(class.relowner))]
            || coalesce((
                select array_agg(format('grant %s on %s to %s;', acl.privileges, identified.identity, acl.grantee))
                from (
                    select string_agg(lower(privilege_type), ', ') as privileges,
                        case grantee when 0 then 'public' else quote_ident(pg_get_userbyid(grantee)) end as grantee
                    from aclexplode(class.relacl)
                    where grantee <> class.relowner
                    group by grantee
                ) acl), '{}')
        when proc.oid is not null then array[rtrim(pg_get_functiondef(proc.oid), e'\n') || ';']
        when own.contype = 'f'
            then array[format('alter table %s add constraint %I %s;', own.conrelid::regclass, own.conname,
                pg_get_constraintdef(own.oid))]
        else '{}'
    end as after
from told
cross join lateral pg_identify_object(told.classid, told.objid, 0) identified
left join pg_class class on told.classid = 'pg_class'::regclass and class.oid = told.objid
left join pg_proc proc on told.classid = 'pg_proc'::regclass and proc.oid = told.objid
left join pg_constraint own on told.classid = 'pg_constraint'::regclass and own.oid = told.objid
-- What stands on top of another view goes first.
order by told.depth desc
