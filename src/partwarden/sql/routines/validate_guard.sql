create function partwarden.validate_guard(p_facts jsonb)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Reads the default partition, under a lock that keeps nobody from reading or writing, and so proves that no row lies where
-- partitions are about to be made; raises an error if one does.
begin
    perform set_config('partwarden.guard', 'on', true);
    perform partwarden.use_lock_timeout();
    execute format('alter table %s validate constraint partwarden_guard', (p_facts ->> 'default_partition')::oid::regclass);
end
$$;
