create function partwarden.keep_vacuum_out(p_tables regclass[], p_until timestamptz)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Locks the tables against vacuum and DDL only (SHARE UPDATE EXCLUSIVE), one after the other, and goes on waiting until
-- p_until: nobody who reads or writes waits behind us meanwhile. A vacuum that the server runs by itself makes way, but
-- only when it is waited for longer than deadlock_timeout, which a short try never is. Afterwards one try's wait is set.
declare
    v_table regclass;
begin
    foreach v_table in array p_tables loop
        perform set_config('lock_timeout', greatest(
            ceil(extract(epoch from p_until - clock_timestamp()) * 1000),
            (select ceil(extract(epoch from lock_wait) * 1000) from partwarden.setting))::bigint::text, true);
        execute format('lock table only %s in share update exclusive mode', v_table);
    end loop;
    perform partwarden.use_lock_wait();
end
$$;
