create function partwarden.swap_obstacle(p_parent regclass)
returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
-- Why the default partition of this set can't be replaced by a new one, in words; null when it can. What replaces it is a
-- new table, so whatever hangs on the old one by its identity, and can't be made anew from here, is in the way.
declare
    v_default regclass := (select partdefid from pg_partitioned_table where partrelid = p_parent);
    v_found   text;
begin
    select format('foreign key %s of %s references the set', conname, conrelid::regclass) into v_found
    from partwarden.references_to(p_parent) as listed (key) join pg_constraint on pg_constraint.oid = key
    limit 1;
    if found then
        return v_found;
    end if;
    if (select relkind from pg_class where oid = v_default) <> 'r' then
        return format('%s is partitioned itself, or no ordinary table', v_default);
    end if;
    if (select relrowsecurity or relforcerowsecurity from pg_class where oid = v_default)
        or exists (select from pg_policy where polrelid = v_default)
    then
        return format('%s has row-level security of its own', v_default);
    end if;
    select format('trigger %s is on %s alone', tgname, v_default) into v_found
    from pg_trigger
    where tgrelid = v_default and not tgisinternal and tgparentid = 0 and tgname !~ '^partwarden_'
    limit 1;
    if found then
        return v_found;
    end if;
    select format('trigger %s of %s is not enabled as the parent''s is', child.tgname, v_default) into v_found
    from pg_trigger child
    join pg_trigger above on above.oid = child.tgparentid
    where child.tgrelid = v_default and not child.tgisinternal and child.tgenabled <> above.tgenabled
    limit 1;
    if found then
        return v_found;
    end if;
    select format('constraint %s is on %s alone', conname, v_default) into v_found
    from pg_constraint
    where conrelid = v_default and contype = 'f' and conparentid = 0
    limit 1;
    if found then
        return v_found;
    end if;
    -- Views, rules, functions of its row type, other tables' columns of it, what was put into an extension.
    select format('%s depends on %s', pg_describe_object(classid, objid, objsubid), v_default) into v_found
    from pg_depend
    where (refclassid = 'pg_class'::regclass and refobjid = v_default
           or refclassid = 'pg_type'::regclass and refobjid = (select reltype from pg_class where oid = v_default))
      and (classid in ('pg_rewrite'::regclass, 'pg_proc'::regclass, 'pg_policy'::regclass, 'pg_publication_rel'::regclass)
           or classid = 'pg_class'::regclass and deptype = 'n'
           or deptype = 'e')
    limit 1;
    if found then
        return v_found;
    end if;
    if exists (select from pg_attribute where attrelid = v_default and attacl is not null and not attisdropped) then
        return format('there are privileges on columns of %s', v_default);
    end if;
    if exists (select from pg_seclabel where objoid = v_default and classoid = 'pg_class'::regclass) then
        return format('%s has a security label', v_default);
    end if;
    if exists (
        select from partwarden.part_config((select nspname || '.' || relname from pg_class
            join pg_namespace on pg_namespace.oid = relnamespace where pg_class.oid = p_parent)) as listed (config)
        where jsonb_typeof(config -> 'publications') = 'array'
    ) then
        return 'pg_partman puts each new partition into a publication';
    end if;
    -- The rows would be replicated a second time, into tables that the subscriber does not have.
    select format('publication %s publishes every table of this database', pubname) into v_found
    from pg_publication where puballtables limit 1;
    if found then
        return v_found;
    end if;
    if current_setting('server_version_num')::integer >= 150000 then
        execute 'select format(''publication %s publishes every table of the schema'', pubname)
            from pg_publication
            join pg_publication_namespace on pnpubid = pg_publication.oid
            join pg_class on pnnspid = relnamespace
            where pg_class.oid = $1 limit 1'
        into v_found using p_parent;
        if v_found is not null then
            return v_found;
        end if;
    end if;
    select format('publication %s publishes each partition by itself (publish_via_partition_root is off)', pubname)
    into v_found
    from pg_publication_rel
    join pg_publication on pg_publication.oid = prpubid
    where prrelid in (select relid from pg_partition_ancestors(p_parent)) and not pubviaroot
    limit 1;
    return v_found;
end
$$;
