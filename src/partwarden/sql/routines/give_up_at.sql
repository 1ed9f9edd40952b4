create function partwarden.give_up_at()
returns timestamptz
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Until when a lock that is wanted now is tried for.
begin
    return (
        select clock_timestamp() + lock_timeout from partwarden.setting
    );
end
$$;
