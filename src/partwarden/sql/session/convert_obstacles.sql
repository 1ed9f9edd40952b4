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

    return query select * from partwarden.convert_obstacles_within(p_facts);
    return query select * from partwarden.convert_obstacles_without(p_facts);
end
$$;
