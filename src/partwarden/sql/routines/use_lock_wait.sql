create function partwarden.use_lock_wait()
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- For the rest of this transaction, wait for a lock no longer than one try may: all who come after us wait as well.
begin
    perform set_config('lock_timeout', ceil(extract(epoch from lock_wait) * 1000)::bigint::text, true)
    from partwarden.setting;
end
$$;
