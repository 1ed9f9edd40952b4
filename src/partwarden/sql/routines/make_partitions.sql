create function partwarden.make_partitions(p_parent_table text)
returns integer
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Has pg_partman make the next partitions of one set, without retention, and verifies the state that it leaves.
-- Returns how many there are more. Raises pg_partman's error, or what is wrong with the state.
declare
    v_schema     name := partwarden.extension_schema('pg_partman');
    v_started_at timestamptz := clock_timestamp();
    v_before     integer := partwarden.partition_count(p_parent_table);
    v_retention  text := partwarden.set_retention_aside(p_parent_table);
begin
    perform partwarden.refuse_runaway(p_parent_table);
    execute format('select %I.run_maintenance($1)', v_schema) using p_parent_table;
    if v_retention is not null then
        execute format('update %I.part_config set retention = $1 where parent_table = $2', v_schema)
        using v_retention, p_parent_table;
    end if;
    perform partwarden.verify_set(p_parent_table, v_started_at);
    return greatest(partwarden.partition_count(p_parent_table) - v_before, 0);
end
$$;
