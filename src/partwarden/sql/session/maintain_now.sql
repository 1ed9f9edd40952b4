create function partwarden.maintain_now(p_parent regclass)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Has pg_partman maintain one set.
begin
    perform partwarden.lock_for_new_partitions(p_parent);
    execute format('select %I.run_maintenance($1)', partwarden.extension_schema('pg_partman'))
    using (partwarden.repair_state(p_parent)).parent_table;
end
$$;
