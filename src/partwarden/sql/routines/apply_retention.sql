create function partwarden.apply_retention(p_parent_table text)
returns integer
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Has pg_partman detach or drop what one set's retention says; returns how many partitions that were.
declare
    v_kind    text;
    v_dropped integer;
begin
    {{with partition_set; part_config: select config from partwarden.part_config(p_parent_table) as listed (config)}}
    select kind into v_kind from partition_set where async_in_progress is null;
    if v_kind is null then
        return 0;  -- not range-partitioned: run_maintenance() has seen to its retention itself
    end if;
    execute format('select %I.%I($1)', partwarden.extension_schema('pg_partman'),
        case v_kind when 'id' then 'drop_partition_id' else 'drop_partition_time' end)
    into v_dropped
    using p_parent_table;
    return v_dropped;
end
$$;
