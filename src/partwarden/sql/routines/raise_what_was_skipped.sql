create function partwarden.raise_what_was_skipped(
    p_parent_table text, p_kind text, p_next_at timestamptz, p_next_id numeric)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- pg_partman 5.5 turns the error of a set into a warning, which only the server's log has. The same step is done
-- again without its safety net, so that the error itself is raised; the caller undoes whatever comes of it.
declare
    v_schema name := partwarden.extension_schema('pg_partman');
begin
    if p_kind = 'id' then
        execute format('select %I.create_partition_id($1, array[$2]::bigint[])', v_schema)
        using p_parent_table, p_next_id;
    else
        execute format('select %I.create_partition_time($1, array[$2])', v_schema)
        using p_parent_table, p_next_at;
    end if;
    raise exception 'pg_partman skipped % with a warning', p_parent_table
        using errcode = 'object_not_in_prerequisite_state',
            hint = 'The warning is in the server''s log: "maintenance skipped partition set".';
end
$$;
