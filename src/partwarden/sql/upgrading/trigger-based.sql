-- concern: trigger-based
-- uses: part_config, part_config_sub, managed_parent, partman
-- why: pg_partman 5 knows declarative partitioning only, and its update refuses to run while one set of the other kind is
--      configured. It is made a declarative one first, while pg_partman is 4: a new partitioned table takes the name, and
--      its partitions. Ask again when that is done
with by_triggers as (
    select
        managed_parent.config ->> 'parent_table' as parent_table,
        managed_parent.config ->> 'control'      as control,
        parent.oid                               as parent,
        parent.relowner                          as owner,
        parent.relacl                            as acl,
        format('%I.%I', namespace.nspname, parent.relname) as name,
        namespace.nspname                        as schema,
        parent.relname                           as table_name,
        format('%I.%I', namespace.nspname, suffixed.old_name) as old_name,
        suffixed.old_name                        as bare_old_name,
        format('%I.%I', namespace.nspname, suffixed.default_name) as default_name,
        format('%I.%I', partman.schema, suffixed.template_name) as template,
        partman.schema || '.' || suffixed.template_name as bare_template,
        partman.schema                           as partman_schema
    from managed_parent
    join pg_class parent on parent.oid = managed_parent.parent and parent.relkind = 'r'
    join pg_namespace namespace on namespace.oid = parent.relnamespace
    cross join partman
    cross join lateral (
        select
            substr(('_by_triggers' || parent.relname)::name::text, 13) || '_by_triggers' as old_name,
            substr(('_default' || parent.relname)::name::text, 9) || '_default'          as default_name,
            ('template_' || namespace.nspname || '_' || parent.relname)::name::text      as template_name
    ) suffixed
), child as (
    select
        by_triggers.parent,
        inherits.inhrelid::regclass::text as name,
        -- pg_partman 4 gives each of them a constraint that says what belongs into it.
        (select regexp_match(pg_get_constraintdef(own.oid),
                    '^CHECK \(\(\((?:\w+|"(?:[^"]|"")+") >= (.+)\) AND \((?:\w+|"(?:[^"]|"")+") < (.+)\)\)\)$')
         from pg_constraint own
         where own.conrelid = inherits.inhrelid and own.contype = 'c' and own.conname like '%partition\_check') as bounds
    from by_triggers
    join pg_inherits inherits on inherits.inhparent = by_triggers.parent
), obstacle as (
    select by_triggers.parent, 'a level below' as text from by_triggers
    where exists (select from part_config_sub where config ->> 'sub_parent' = by_triggers.parent_table)
       or exists (select from pg_inherits where inhrelid = by_triggers.parent)
    union all
    select child.parent, format('no constraint with the bounds of %s', min(child.name)) from child
    where child.bounds is null group by child.parent
    union all
    select by_triggers.parent, format('column %s is generated', string_agg(attribute.attname, ', '))
    from by_triggers
    join pg_attribute attribute on attribute.attrelid = by_triggers.parent and attribute.attnum > 0
    where attribute.attidentity <> '' or attribute.attgenerated <> ''
    group by by_triggers.parent
    union all
    select by_triggers.parent, format('%s reads it', min(rewrite.ev_class::regclass::text))
    from by_triggers
    join pg_depend depend on depend.refclassid = 'pg_class'::regclass and depend.refobjid = by_triggers.parent
        and depend.classid = 'pg_rewrite'::regclass
    join pg_rewrite rewrite on rewrite.oid = depend.objid
    group by by_triggers.parent
    union all
    select by_triggers.parent, format('%s refers to it', min(own.conrelid::regclass::text))
    from by_triggers
    join pg_constraint own on own.confrelid = by_triggers.parent and own.contype = 'f'
    group by by_triggers.parent
), key as (
    select
        by_triggers.parent,
        index.indexrelid,
        index.indisunique or index.indisprimary as is_unique,
        own.oid as constraint_oid,
        exists (
            select from pg_attribute attribute
            where attribute.attrelid = by_triggers.parent and attribute.attname = by_triggers.control
              and attribute.attnum = any (index.indkey)) as has_control,
        pg_get_indexdef(index.indexrelid) as definition,
        format('INDEX %I ON %s USING', class.relname, by_triggers.name) as head
    from by_triggers
    join pg_index index on index.indrelid = by_triggers.parent
    join pg_class class on class.oid = index.indexrelid
    left join pg_constraint own on own.conindid = index.indexrelid and own.contype in ('p', 'u')
), step as (
    select parent, 1 as number, '' as detail, 'begin;' as statement from by_triggers
    union all
    select parent, 2, '', format('lock table %s in access exclusive mode;', name) from by_triggers
    union all
    select by_triggers.parent, 3, child.name, format('alter table %s no inherit %s;', child.name, by_triggers.name)
    from by_triggers join child on child.parent = by_triggers.parent
    union all
    select parent, 4, '', format('alter table %s rename to %I;', name, bare_old_name) from by_triggers
    union all
    select parent, 5, '', format('create table %s (like %s including all excluding indexes) partition by range (%I);', name,
        old_name, control) from by_triggers
    union all
    select parent, 6, '', format('alter table %s owner to %I;', name, pg_get_userbyid(owner)) from by_triggers
    union all
    select by_triggers.parent, 7, acl.grantee, format('grant %s on %s to %s;', acl.privileges, by_triggers.name, acl.grantee)
    from by_triggers
    cross join lateral (
        select string_agg(lower(privilege_type), ', ') as privileges,
            case grantee when 0 then 'public' else quote_ident(pg_get_userbyid(grantee)) end as grantee
        from aclexplode(by_triggers.acl)
        where grantee <> by_triggers.owner
        group by grantee
    ) acl
    union all
    select parent, 8, '', format('create table if not exists %s (like %s);', template, name) from by_triggers
    union all
    select parent, 8, 'owner', format('alter table %s owner to %I;', template, pg_get_userbyid(owner)) from by_triggers
    union all
    -- A key without the control column can't be one of the whole set: pg_partman makes it for each partition by the template.
    select by_triggers.parent, 9, key.indexrelid::text,
        case when key.constraint_oid is not null
             then format('alter table %s add %s;', place.name, pg_get_constraintdef(key.constraint_oid))
             else replace(key.definition, key.head, format('INDEX ON %s USING', place.name)) || ';' end
    from by_triggers
    join key on key.parent = by_triggers.parent
    cross join lateral (
        select case when key.is_unique and not key.has_control then by_triggers.template else by_triggers.name end as name
    ) place
    union all
    select by_triggers.parent, 10, own.conname, format('alter table %s add constraint %I %s;', by_triggers.name, own.conname,
        pg_get_constraintdef(own.oid))
    from by_triggers
    join pg_constraint own on own.conrelid = by_triggers.parent and own.contype = 'f'
    union all
    select by_triggers.parent, 11, child.name, format('alter table %s attach partition %s for values from (%s) to (%s);',
        by_triggers.name, child.name, child.bounds[1], child.bounds[2])
    from by_triggers join child on child.parent = by_triggers.parent
    union all
    select parent, 12, '', format('create table %s partition of %s default;', default_name, name) from by_triggers
    union all
    select parent, 12, 'owner', format('alter table %s owner to %I;', default_name, pg_get_userbyid(owner)) from by_triggers
    union all
    select parent, 13, '', format('insert into %s select * from only %s;', name, old_name) from by_triggers
    union all
    select by_triggers.parent, 14, trigger.tgname, pg_get_triggerdef(trigger.oid) || ';'
    from by_triggers
    join pg_trigger trigger on trigger.tgrelid = by_triggers.parent and not trigger.tgisinternal
        and trigger.tgname not like '%\_part\_trig'
    union all
    select parent, 15, '', format('update %I.part_config set partition_type = ''native'', template_table = %L where parent_table = %L;',
        partman_schema, bare_template, parent_table) from by_triggers
    union all
    select parent, 16, '', 'commit;' from by_triggers
), way as (
    select step.parent, array_agg(step.statement order by step.number, step.detail) as statements from step group by step.parent
)
select
    '5.0.0'::text    as since,
    'critical'::text as severity,
    found.object,
    format('it is partitioned by triggers (type %s)%s', found.type,
        '; convert it by hand: ' || (select string_agg(obstacle.text, ', ') from obstacle where obstacle.parent = by_triggers.parent))
                     as what,
    case when exists (select from obstacle where obstacle.parent = by_triggers.parent) then '{}'
         else coalesce(way.statements, '{}') end as before,
    '{}'::text[]     as after
from (
    select config ->> 'parent_table', config ->> 'partition_type' from part_config
    union
    select config ->> 'sub_parent', config ->> 'sub_partition_type' from part_config_sub
) found (object, type)
left join by_triggers on by_triggers.parent_table = found.object
left join way on way.parent = by_triggers.parent
where found.type in ('partman', 'time-custom', 'time-static', 'time-dynamic', 'id-static', 'id-dynamic')
