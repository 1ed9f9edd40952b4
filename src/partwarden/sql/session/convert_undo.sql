create function partwarden.convert_undo(p_parent regclass)
returns table (statement text, lock text, object text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
-- The statements of the one transaction that makes a partition set the table again that it was converted from, in their order,
-- behind those of convert_locks().
declare
    v_origin   regclass := partwarden.convert_origin(p_parent);
    v_old      text := v_origin::text;
    v_name     text;
    v_schema   name;
    v_table    name;
    v_interim  name := 'partwarden_convert_' || p_parent::oid;
    v_set      text;
    v_partman  name := partwarden.extension_schema('pg_partman');
    v_config   jsonb;
    v_control  name;
    v_key      record;
begin
    select format('%I.%I', nspname, relname), nspname, relname, attname
    into v_name, v_schema, v_table, v_control
    from pg_class
    join pg_namespace on pg_namespace.oid = relnamespace
    join pg_partitioned_table on partrelid = pg_class.oid
    join pg_attribute on attrelid = partrelid and attnum = partattrs[0]
    where pg_class.oid = p_parent;
    v_set := format('%I.%I', v_schema, v_interim);
    select listed.config into v_config from partwarden.part_config(v_schema || '.' || v_table) as listed (config);

    return query select format('select partwarden.convert_refuse_rows(%L, %L)', v_name, v_old), 'access share', v_name;
    if exists (select from pg_constraint where conrelid = v_origin and conname = 'partwarden_convert') then
        return query select *
        from partwarden.convert_unguard(v_old, format('%I.%I', v_schema, 'partwarden_convert_' || v_origin::oid));
    end if;
    return query select moved.statement, moved.lock, moved.object
    from partwarden.convert_references(p_parent, v_name) as moved where stage = 'take';
    return query select format('alter table %s drop constraint %I', conrelid::regclass, conname), 'access exclusive', conrelid::regclass::text
    from pg_constraint
    where contype = 'f' and confrelid = p_parent and conparentid = 0 and conrelid in (p_parent, v_origin)
    order by conname;
    return query select moved.statement, moved.lock, moved.object
    from partwarden.convert_behaviour(p_parent, v_name) as moved where stage = 'take';
    return query values
        (format('alter table %s detach partition %s', v_name, v_old), 'access exclusive', v_name),
        (format('alter table %s rename to %I', v_name, v_interim), 'access exclusive', v_name),
        (format('alter table %s rename to %I', v_old, v_table), 'access exclusive', v_old);
    return query select moved.statement, moved.lock, moved.object
    from partwarden.convert_sequences(p_parent, v_name, v_set) as moved;
    return query select moved.statement, moved.lock, moved.object
    from partwarden.convert_access(p_parent, v_name) as moved where stage = 'give';
    return query select moved.statement, moved.lock, moved.object
    from partwarden.convert_behaviour(p_parent, v_name) as moved where stage = 'give';
    return query values
        (format('drop table %s', v_set), 'access exclusive', v_set),
        (format('delete from %I.part_config where parent_table = %L', v_partman, v_schema || '.' || v_table), null,
            format('%I.part_config', v_partman));
    if split_part(v_config ->> 'template_table', '.', 2) like 'template\_%' then
        return query select format('drop table if exists %I.%I', split_part(v_config ->> 'template_table', '.', 1),
            split_part(v_config ->> 'template_table', '.', 2)), 'access exclusive', v_config ->> 'template_table';
    end if;

    -- Each key of the set goes, where the table has kept one without the control column; else the table's gets its name.
    for v_key in
        select
            own_class.relname as own_name, set_class.relname as set_name, constraint_of.conname, constraint_of.contype,
            kept.name as kept_name,
            coalesce(' ' || substring(pg_get_constraintdef(constraint_of.oid) from '(DEFERRABLE.*)$'), '') as deferrable
        from pg_index set_index
        join pg_class set_class on set_class.oid = set_index.indexrelid
        join pg_inherits on inhparent = set_index.indexrelid
        join pg_index own_index on own_index.indexrelid = inhrelid and own_index.indrelid = v_origin
        join pg_class own_class on own_class.oid = own_index.indexrelid
        left join pg_constraint constraint_of
            on constraint_of.conindid = set_index.indexrelid and constraint_of.conrelid = p_parent and constraint_of.contype in ('p', 'u')
        left join lateral (
            select kept_class.relname as name
            from pg_index kept_index
            join pg_class kept_class on kept_class.oid = kept_index.indexrelid
            where obj_description(own_index.indexrelid, 'pg_class') like 'partwarden convert:%' and kept_index.indrelid = v_origin and kept_index.indisunique
              and not kept_class.relispartition
              and partwarden.convert_with_control(
                      regexp_replace(pg_get_indexdef(kept_index.indexrelid), '^.*? USING ', ''),
                      v_control)
                  = regexp_replace(pg_get_indexdef(own_index.indexrelid), '^.*? USING ', '')
            limit 1
        ) kept on true
        where set_index.indrelid = p_parent
        order by set_index.indexrelid
    loop
        if v_key.kept_name is null then
            return query select format('alter index %I.%I rename to %I', v_schema, v_key.own_name, v_key.set_name),
                'share update exclusive', v_name;
            continue;
        end if;
        if v_key.conname is not null then
            return query select format('alter table %s drop constraint %I', v_name, v_key.own_name), 'access exclusive', v_name;
        else
            return query select format('drop index %I.%I', v_schema, v_key.own_name), 'access exclusive', v_name;
        end if;
        if v_key.contype = 'p' then
            return query select format('alter table %s add constraint %I primary key using index %I%s', v_name, v_key.conname,
                v_key.kept_name, v_key.deferrable), 'access exclusive', v_name;
        else
            return query select format('alter index %I.%I rename to %I', v_schema, v_key.kept_name, v_key.set_name),
                'share update exclusive', v_name;
        end if;
    end loop;

    return query select moved.statement, moved.lock, moved.object
    from partwarden.convert_references(p_parent, v_name) as moved where stage = 'give';
    return query
    select listed.statement, listed.lock, v_name
    from pg_constraint
    cross join lateral (
        values
            (1, format('alter table %s add constraint %I %s not valid', v_name, conname,
                regexp_replace(pg_get_constraintdef(pg_constraint.oid), ' NOT VALID$', '')), 'share row exclusive'),
            (2, format('comment on constraint %I on %s is ''partwarden validates it''', conname, v_name), 'share update exclusive')
    ) listed (place, statement, lock)
    where contype = 'f' and confrelid = p_parent and conparentid = 0 and conrelid in (p_parent, v_origin)
    order by conname, listed.place;
end
$$;
