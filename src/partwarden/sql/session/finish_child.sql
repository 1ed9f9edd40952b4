create function partwarden.finish_child(p_parent regclass, p_interval text, p_child name, p_is_new boolean)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Gives a table that is to become a partition, now that it is full, what pg_partman gives to those that it makes: the
-- parent's indexes, the template's, privileges, replica identity. One that was the default partition (not p_is_new) has
-- indexes already; attach_obstacle() has seen to it that the template has none. Foreign keys follow in reference_from_child().
declare
    v_set     record := partwarden.drain_set(p_parent, p_interval);
    v_partman name := partwarden.extension_schema('pg_partman');
    v_name    text := format('%I.%I', v_set.schema, p_child);
begin
    if p_is_new then
        perform partwarden.copy_indexes(p_parent, v_name::regclass, null);
    end if;
    if not v_set.is_managed then
        execute format('alter table %s owner to %I', v_name,
            (select pg_get_userbyid(relowner) from pg_class where oid = p_parent));
        return;
    end if;
    if to_regprocedure(format('%I.inherit_parent_properties(text, text, text, text)', v_partman)) is not null then
        execute format('select %I.inherit_parent_properties($1, $2, $3)', v_partman)
        using v_set.schema::text, v_set.table_name::text, p_child::text;
    end if;
    if v_set.config ->> 'template_table' is not null then
        execute format('select %I.inherit_template_properties($1, $2, $3)', v_partman)
        using v_set.parent_table, v_set.schema::text, p_child::text;
    end if;
    if (v_set.config ->> 'inherit_privileges')::boolean then
        execute format('select %I.apply_privileges($1, $2, $1, $3, null::bigint)', v_partman)
        using v_set.schema::text, v_set.table_name::text, p_child::text;
    end if;
    if to_regprocedure(format('%I.inherit_replica_identity(text, text, text)', v_partman)) is not null then
        execute format('select %I.inherit_replica_identity($1, $2, $3)', v_partman)
        using v_set.schema::text, v_set.table_name::text, p_child::text;
    end if;
end
$$;
