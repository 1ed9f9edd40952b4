create function partwarden.verify_set(p_parent_table text, p_facts jsonb)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Raises what is wrong with a set that pg_partman should have maintained since p_facts.since. pg_partman itself may
-- have said nothing (a name that is taken), or no more than a warning (5.5, any error). Where there are as many partitions
-- more as were due, they stand where p_facts says; else everything is looked at again.
declare
    v_set      record;
    v_facts    jsonb := p_facts;
    v_last_run timestamptz;
begin
    if p_facts ->> 'parent' is null or partwarden.partition_count((p_facts ->> 'parent')::oid)
        <> (p_facts ->> 'partition_count')::integer + (p_facts ->> 'due')::integer
    then
        v_facts := partwarden.look_at_bounds(p_parent_table);
    elsif (p_facts ->> 'due')::integer > 0 then
        if p_facts -> 'edge_at' = p_facts -> 'last_upper_at' and p_facts -> 'edge_id' = p_facts -> 'last_upper_id' then
            v_facts := p_facts || jsonb_build_object(
                'edge_at', p_facts -> 'until_at', 'last_upper_at', p_facts -> 'until_at',
                'edge_id', p_facts -> 'until_id', 'last_upper_id', p_facts -> 'until_id');
        else
            v_facts := partwarden.look_at_bounds(p_parent_table);
        end if;
    end if;
    if v_facts is null then
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
    select * into v_set
    from jsonb_to_record(v_facts) as set (
        name text, kind text, premake integer, infinite boolean, is_full boolean, knows_last_run boolean,
        async_in_progress text, step interval, width numeric, position_at timestamptz, position_id numeric,
        last_upper_text text, last_upper_at timestamptz, last_upper_id numeric, edge_at timestamptz, edge_id numeric,
        start_at timestamptz, limit_at timestamptz);

    if v_set.async_in_progress is not null then
        raise exception 'pg_partman skips %: its async_partitioning_in_progress is set', v_set.name
            using errcode = 'object_not_in_prerequisite_state',
                hint = 'partition_data_async() works on the set, or was interrupted.';
    end if;
    if v_set.knows_last_run then
        execute format('select maintenance_last_run from %I.part_config where parent_table = $1',
            partwarden.extension_schema('pg_partman'))
        into v_last_run using p_parent_table;
    end if;
    if v_set.knows_last_run and (v_last_run is null or v_last_run < (p_facts ->> 'since')::timestamptz) then
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
