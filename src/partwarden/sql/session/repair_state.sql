create function partwarden.repair_state(
    p_parent regclass,
    out parent_table text, out is_managed boolean, out is_maintained boolean, out moving text, out storage regclass,
    out storage_rows bigint, out is_undone boolean, out gaps integer)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
-- What may have to be repaired about a set besides the rows of its default partition: what partition_data_async() has
-- left (moving, storage), an undo that was begun, gaps between its partitions.
#variable_conflict use_column
declare
    v_config jsonb;
begin
    select nspname || '.' || relname, listed.config,
        to_regclass(format('%I.%I', nspname, ('partman_tmp_storage_' || relname)::name))
    into parent_table, v_config, storage
    from pg_class
    join pg_namespace on pg_namespace.oid = relnamespace
    left join partwarden.part_config(nspname || '.' || relname) as listed (config) on true
    where pg_class.oid = p_parent;
    is_managed := v_config is not null;
    is_maintained := coalesce(v_config ->> 'automatic_maintenance' = 'on', false);
    is_undone := coalesce((v_config ->> 'undo_in_progress')::boolean, false);
    moving := v_config ->> 'async_partitioning_in_progress';
    if storage is not null then
        execute format('select count(*) from %s', storage) into storage_rows;
    end if;
    gaps := 0;
    if is_managed then
        {{with hole; managed_parent: select p_parent::oid as parent, v_config as config}}
        select count(*) into gaps from hole;
    end if;
end
$$;
