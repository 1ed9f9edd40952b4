create function partwarden.utc(p_at timestamptz)
returns text
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
-- A moment as mails write it: in UTC, which it says.
select to_char(p_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"')
$$;
