create function partwarden.verify_set(p_parent_table text, p_since timestamptz)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Raises what is wrong with a set that pg_partman should have maintained since p_since. pg_partman itself may
-- have said nothing (a name that is taken), or no more than a warning (5.5, any error).
declare
    v_set  record;
begin
    {{with partition_set, headroom; part_config: select config from partwarden.part_config(p_parent_table) as listed (config)}}
    select
        partition_set.*,
        headroom.*,
        case when partition_set.kind <> 'id' then partition_set.partition_interval::interval end as step,
        case when partition_set.kind = 'id' then partition_set.partition_interval::numeric end as width
    into v_set
    from partition_set
    left join headroom on headroom.parent = partition_set.parent;

    if not found then
        if not exists (
            select from partwarden.part_config(p_parent_table) as listed (config)
            join pg_namespace on nspname = split_part(config ->> 'parent_table', '.', 1)::name
            join pg_class
                on relnamespace = pg_namespace.oid and relname = split_part(config ->> 'parent_table', '.', 2)::name
        ) then
            raise exception 'pg_partman is configured for table %, which does not exist', p_parent_table
                using errcode = 'undefined_table';
        end if;
        return;  -- not range-partitioned: there are no bounds to look at
    end if;

    if v_set.async_in_progress is not null then
        raise exception 'pg_partman skips %: its async_partitioning_in_progress is set', v_set.name
            using errcode = 'object_not_in_prerequisite_state',
                hint = 'partition_data_async() works on the set, or was interrupted.';
    end if;
    if v_set.knows_last_run and (v_set.last_run is null or v_set.last_run < p_since) then
        perform partwarden.raise_what_was_skipped(p_parent_table, v_set.kind, v_set.last_upper_at, v_set.last_upper_id);
    end if;
    if v_set.is_full or v_set.last_upper_text is null then
        return;
    end if;
    if v_set.kind = 'id' then
        if v_set.position_id is not null and v_set.edge_id < v_set.position_id + (v_set.premake + 1) * v_set.width then
            perform partwarden.raise_too_few_ahead(v_set.name, v_set.edge_id::text, v_set.last_upper_id::text);
        end if;
    elsif v_set.infinite
        and v_set.position_at >= coalesce(v_set.start_at, '-infinity')
        and v_set.position_at < coalesce(v_set.limit_at, 'infinity')
        and coalesce(v_set.edge_at, '-infinity') < coalesce(v_set.limit_at, 'infinity')
        and coalesce(v_set.edge_at, '-infinity') <= v_set.position_at + v_set.premake * v_set.step
    then
        perform partwarden.raise_too_few_ahead(v_set.name, v_set.edge_at::text, v_set.last_upper_at::text);
    end if;
end
$$;
