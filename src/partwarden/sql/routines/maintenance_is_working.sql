create function partwarden.maintenance_is_working()
returns boolean
language sql
set search_path = pg_catalog, pg_temp
as $$
-- Whether another session of ours is in the middle of partwarden.maintain() in this database.
select exists (
    select from pg_stat_activity
    where datname = current_database()
      and pid <> pg_backend_pid()
      and state = 'active'
      and query ~* '^\s*call\s+partwarden\.maintain\M'
)
$$;
