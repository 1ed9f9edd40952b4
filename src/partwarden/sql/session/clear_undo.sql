create function partwarden.clear_undo(p_parent regclass)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Has pg_partman look after a set again whose partitioning somebody began to undo and did not finish.
begin
    perform partwarden.refuse_working('undo_partition(_proc)?');
    execute format('update %I.part_config set undo_in_progress = false where parent_table = $1',
        partwarden.extension_schema('pg_partman'))
    using (partwarden.repair_state(p_parent)).parent_table;
end
$$;
