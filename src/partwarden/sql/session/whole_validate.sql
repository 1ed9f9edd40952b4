create function partwarden.whole_validate(p_parent regclass)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Reads the default partition, under a lock that keeps nobody from reading or writing, and so proves where its rows belong.
begin
    perform set_config('partwarden.guard', 'on', true);
    execute format('alter table %s validate constraint partwarden_drain_whole',
        (select partdefid::regclass from pg_partitioned_table where partrelid = p_parent));
end
$$;
