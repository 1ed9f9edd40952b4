create function partwarden.sets_to_maintain(p_parent text default null)
returns text[]
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
-- pg_partman's names of the sets that are to be maintained, in its own order: the user's, then by name. p_parent is the
-- only one that is meant; raises an error where it is not to be maintained.
declare
    v_parent regclass;
    v_sets   text[];
begin
    if p_parent is not null then
        v_parent := partwarden.find_set(p_parent);
    end if;
    select coalesce(array_agg(
        config ->> 'parent_table'
        order by (config ->> 'maintenance_order')::integer nulls last, config ->> 'parent_table'
    ), '{}')
    into v_sets
    from partwarden.part_config() as listed (config)
    where config ->> 'automatic_maintenance' = 'on'
      and not (config ->> 'undo_in_progress')::boolean
      and (v_parent is null
           or config ->> 'parent_table' = (
               select nspname || '.' || relname
               from pg_class join pg_namespace on pg_namespace.oid = relnamespace
               where pg_class.oid = v_parent));
    if v_parent is not null and v_sets = '{}' then
        raise exception 'could not maintain %: pg_partman does not maintain it', v_parent
            using errcode = 'object_not_in_prerequisite_state',
                hint = 'Its row in part_config is missing, or has automatic_maintenance off, or undo_in_progress.';
    end if;
    return v_sets;
end
$$;
