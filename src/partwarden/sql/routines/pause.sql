create function partwarden.pause()
returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
-- Between two tries for a lock: long enough for those who queued behind us, and never twice the same for two who try.
select pg_sleep(0.03 + random() * 0.12)
$$;
