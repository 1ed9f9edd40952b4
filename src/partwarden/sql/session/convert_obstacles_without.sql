create function partwarden.convert_obstacles_without(p_facts jsonb)
returns table (problem text, remedy text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
-- Of why the table can't be converted: what refers to it and can't be told to refer to a partition set, and replication.
declare
    v_table  regclass := (p_facts ->> 'table')::oid::regclass;
    v_owner  name := p_facts ->> 'owner';
begin
    return query
    select
        format('foreign key %I of %s references it by a key that a partition set can''t have: %I is not in it',
            conname, conrelid::regclass, p_facts ->> 'control'),
        format('alter table %s drop constraint %I;  -- or have it reference a key with %I in it',
            conrelid::regclass, conname, p_facts ->> 'control')
    from pg_constraint
    where contype = 'f' and confrelid = v_table and conparentid = 0
      and (select attnum from pg_attribute where attrelid = v_table and attname = p_facts ->> 'control') <> all (confkey)
    union all
    select format('foreign key %I of %s references it, and role %I does not own that table', conname, conrelid::regclass, v_owner),
        format('grant %I to %I;', pg_get_userbyid(relowner), v_owner)
    from pg_constraint join pg_class on pg_class.oid = conrelid
    where contype = 'f' and confrelid = v_table and conrelid <> v_table and conparentid = 0
      and not pg_has_role(v_owner, relowner, 'usage')
    union all
    select format('foreign key %I of %s references it, and all %s of that partition set would be checked anew while nobody can write',
            conname, conrelid::regclass, pg_size_pretty(tree.bytes)),
        format('alter table %s drop constraint %I;  -- and add it afterwards', conrelid::regclass, conname)
    from pg_constraint
    cross join lateral (select sum(pg_relation_size(relid)) as bytes from pg_partition_tree(conrelid)) tree
    where contype = 'f' and confrelid = v_table and conrelid <> v_table and conparentid = 0
      and not partwarden.is_validated_later(conrelid) and tree.bytes > 64 * 1024 * 1024
    union all
    select format('%s depends on its primary key, which the control column is not in', pg_describe_object(classid, objid, objsubid)),
        'have it group by each column that it shows'
    from pg_depend
    join partwarden.convert_keys(p_facts) as key on key.lacks_control and key.constraint_name is not null
    join pg_constraint on conrelid = v_table and conname = key.constraint_name and refobjid = pg_constraint.oid
    where refclassid = 'pg_constraint'::regclass and classid = 'pg_rewrite'::regclass
    union all
    select
        case kind
            when 'matview' then format('materialized view %s is made from it', relation)
            when 'type' then format('%s uses its row type', described)
            else format('%s depends on it', described)
        end,
        case kind
            when 'matview' then format('drop materialized view %s;  -- and make it again afterwards: %s', relation,
                rtrim(pg_get_viewdef(relation), ';'))
            else 'drop that, and make it again afterwards'
        end
    from partwarden.convert_dependents(v_table) where kind in ('matview', 'type', 'other')
    union all
    select format('%s depends on it, and role %I does not own that', described, v_owner),
        format('grant %I to %I;', pg_get_userbyid(dependent.owner), v_owner)
    from partwarden.convert_dependents(v_table) as dependent
    where kind in ('view', 'rule', 'policy', 'function') and not pg_has_role(v_owner, dependent.owner, 'usage');

    return query
    select distinct format('publication %I publishes it, and would publish each partition by its own name', pg_publication.pubname),
        format('alter publication %I set (publish_via_partition_root = true);', pg_publication.pubname)
    from pg_publication_tables
    join pg_publication on pg_publication.pubname = pg_publication_tables.pubname
    where schemaname = p_facts ->> 'schema' and tablename = p_facts ->> 'table_name' and not pubviaroot
    union all
    select format('publication %I publishes it, and role %I does not own that', pubname, v_owner),
        format('grant %I to %I;', pg_get_userbyid(pubowner), v_owner)
    from pg_publication_rel join pg_publication on pg_publication.oid = prpubid
    where prrelid = v_table and not pg_has_role(v_owner, pubowner, 'usage')
    union all
    select 'a subscription writes into it, and would not find the partition set',
        'convert it where the rows come from, or end the subscription to it'
    from pg_subscription_rel
    where srrelid = v_table;
end
$$;
