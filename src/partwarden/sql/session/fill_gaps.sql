create function partwarden.fill_gaps(p_parent regclass)
returns integer
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Has pg_partman make the partitions that are missing between others; returns how many gaps are closed by that.
declare
    v_before integer := (partwarden.repair_state(p_parent)).gaps;
begin
    perform partwarden.lock_for_new_partitions(p_parent);
    execute format('select %I.partition_gap_fill($1)', partwarden.extension_schema('pg_partman'))
    using (partwarden.repair_state(p_parent)).parent_table;
    return v_before - (partwarden.repair_state(p_parent)).gaps;
end
$$;
