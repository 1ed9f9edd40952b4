create function partwarden.use_lock_timeout()
returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
-- For the rest of this transaction, wait for no lock longer than the setting allows.
select set_config('lock_timeout', (extract(epoch from lock_timeout) * 1000)::bigint::text, true)
from partwarden.setting
$$;
