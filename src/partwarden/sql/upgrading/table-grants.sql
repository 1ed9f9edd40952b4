-- concern: table-grants
-- uses: partman
-- why: the update to 5.0.0 drops the tables of the configuration and makes them anew; who was granted something on them
--      has nothing afterwards, and maintenance fails unless it runs as their owner
select
    '5.0.0'::text    as since,
    'critical'::text as severity,
    format('%I.%I', partman.schema, class.relname) as object,
    format('what %s may do there gets lost', string_agg(acl.grantee, ', ' order by acl.grantee)) as what,
    '{}'::text[]     as before,
    array_agg(format('grant %s on %I.%I to %s%s;', acl.privileges, partman.schema, class.relname, acl.grantee, acl.option)
        order by acl.grantee, acl.option) as after
from partman
join pg_namespace namespace on namespace.nspname = partman.schema
join pg_class class on class.relnamespace = namespace.oid and class.relname in ('part_config', 'part_config_sub')
cross join lateral (
    select
        case acl.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(acl.grantee)) end as grantee,
        string_agg(lower(acl.privilege_type), ', ' order by acl.privilege_type) as privileges,
        case when acl.is_grantable then ' with grant option' else '' end as option
    from aclexplode(class.relacl) acl
    where acl.grantee <> class.relowner
    group by acl.grantee, acl.is_grantable
) acl
group by partman.schema, class.relname
