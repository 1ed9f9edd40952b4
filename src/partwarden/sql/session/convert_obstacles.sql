create function partwarden.convert_obstacles(p_facts jsonb)
returns table (problem text, remedy text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
-- Why the table can't be converted as it is, each with what would help.
declare
    v_table  regclass := (p_facts ->> 'table')::oid::regclass;
    v_name   text := p_facts ->> 'name';
    v_owner  name := p_facts ->> 'owner';
    v_class  pg_class;
begin
    select * into v_class from pg_class where oid = v_table;

    return query
    select listed.problem, listed.remedy
    from (
        select 'it is a temporary table' as problem, 'make an ordinary table of it' as remedy where v_class.relpersistence = 't'
        union all
        select format('it is a partition of %s', inhparent::regclass), 'convert the whole set''s data, not one partition'
        from pg_inherits where inhrelid = v_table and v_class.relispartition
        union all
        select format('it inherits from %s', inhparent::regclass),
            format('alter table %s no inherit %s;', v_name, inhparent::regclass)
        from pg_inherits where inhrelid = v_table and not v_class.relispartition
        union all
        select format('%s inherits from it', inhrelid::regclass), format('alter table %s no inherit %s;', inhrelid::regclass, v_name)
        from pg_inherits where inhparent = v_table
        union all
        select format('it is a table of type %s, and a partition can''t be one', v_class.reloftype::regtype),
            format('alter table %s not of;', v_name) where v_class.reloftype <> 0
        union all
        select format('its access method is %s, and pg_partman would not make such partitions', amname),
            format('alter table %s set access method heap;  -- this rewrites it', v_name)
        from pg_am where oid = v_class.relam and amname <> 'heap'
        union all
        select format('it belongs to extension %s', extname), 'leave it to the extension'
        from pg_depend join pg_extension on pg_extension.oid = refobjid
        where classid = 'pg_class'::regclass and objid = v_table and deptype = 'e'
        union all
        select format('its owner %I may not create tables in schema %I', v_owner, p_facts ->> 'schema'),
            format('grant create on schema %I to %I;', p_facts ->> 'schema', v_owner)
        where not has_schema_privilege(v_owner, p_facts ->> 'schema', 'create')
        union all
        select format('its owner %I may not use pg_partman', v_owner), format(
            'grant usage, create on schema %1$I to %2$I; grant all on all tables in schema %1$I to %2$I; '
            'grant execute on all functions in schema %1$I to %2$I;', p_facts ->> 'partman', v_owner)
        where not has_schema_privilege(v_owner, p_facts ->> 'partman', 'usage, create')
           or not has_table_privilege(v_owner, format('%I.part_config', p_facts ->> 'partman'), 'insert, update')
        union all
        select 'pg_partman takes no table whose name, or whose schema''s, has a dot or an apostrophe',
            'rename it' where p_facts ->> 'schema' ~ '[.'']' or p_facts ->> 'table_name' ~ '[.'']'
        union all
        select format('pg_partman has a configuration of a partition set %s already', v_name),
            format('delete from %I.part_config where parent_table = %L;', p_facts ->> 'partman', p_facts ->> 'parent_table')
        where exists (select from partwarden.part_config(p_facts ->> 'parent_table'))
        union all
        select format('pg_partman 4 can''t name the partitions of a table with so long a name and letters of several bytes'),
            'give it a shorter name'
        where octet_length(p_facts ->> 'default_name') > 63 or octet_length(p_facts ->> 'sample_name') > 63
        union all
        select format('there is a relation %I.%I already, which is what the table is to be called', p_facts ->> 'schema', relname),
            'rename it'
        from pg_class where relnamespace = v_class.relnamespace
          and relname::text in (p_facts ->> 'child', p_facts ->> 'default_name')
    ) listed;

    -- What it has.
    return query
    select listed.problem, listed.remedy
    from (
        select format('constraint %I is not validated, and a partition''s has to be', conname) as problem,
            format('alter table %s validate constraint %I;', v_name, conname) as remedy
        from pg_constraint
        where conrelid = v_table and not convalidated and conname <> 'partwarden_convert'
          and (contype <> 'f' or confrelid <> v_table)
        union all
        select format('constraint %I is not inherited by partitions', conname),
            format('alter table %s alter constraint %I inherit;', v_name, conname)
        from pg_constraint where conrelid = v_table and contype = 'n' and connoinherit
        union all
        select format('constraint %I is not enforced', conname), format('alter table %s drop constraint %I;', v_name, conname)
        from pg_constraint where conrelid = v_table and to_jsonb(pg_constraint) ->> 'conenforced' = 'false'
        union all
        select format('key %I is one without overlaps of a period', conname), 'keep it as an ordinary table'
        from pg_constraint where conrelid = v_table and to_jsonb(pg_constraint) ->> 'conperiod' = 'true'
        union all
        select format('%I is null in some rows, and the primary key of a partition set has to have that column',
            p_facts ->> 'control'),
            format('update %s set %2$I = … where %2$I is null;', v_name, p_facts ->> 'control')
        where (p_facts ->> 'has_nulls')::boolean
          and exists (select from pg_constraint where conrelid = v_table and contype = 'p')
        union all
        select format('its row trigger %I has transition tables, which a partition''s can''t have', tgname),
            format('make it a statement trigger, or: drop trigger %I on %s;', tgname, v_name)
        from pg_trigger
        where tgrelid = v_table and tgtype & 1 = 1 and (tgoldtable is not null or tgnewtable is not null)
        union all
        select format('role %I may not reference %s', v_owner, confrelid::regclass),
            format('grant references on %s to %I;', confrelid::regclass, v_owner)
        from pg_constraint
        where conrelid = v_table and contype = 'f' and confrelid <> v_table
          and not has_any_column_privilege(v_owner, confrelid, 'references')
        union all
        select format('%s uses the sequence of its identity column', pg_describe_object(other.classid, other.objid, other.objsubid)),
            'give it a sequence of its own'
        from pg_depend owned
        join pg_class sequence on sequence.oid = owned.objid and sequence.relkind = 'S'
        join pg_depend other on other.refclassid = 'pg_class'::regclass and other.refobjid = sequence.oid
        where owned.classid = 'pg_class'::regclass and owned.refclassid = 'pg_class'::regclass and owned.refobjid = v_table
          and owned.deptype = 'i' and other.deptype = 'n'
    ) listed;

    -- Who refers to it.
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

    -- Replication.
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
