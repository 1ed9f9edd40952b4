create function partwarden.fact(p_name text, p_value text)
returns text
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
-- A line "  name   value" for a mail in plain text; NULL when there is nothing to say.
select '  ' || rpad(p_name, 21) || replace(p_value, E'\n', E'\n' || repeat(' ', 23))
$$;
