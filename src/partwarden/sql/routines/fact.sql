create function partwarden.fact(p_name text, p_value text, p_wrap boolean default false)
returns text
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
-- A line "  name    value" for a mail in plain text, further lines indented under it; NULL when there is nothing to
-- say. Prose is wrapped; what a person may paste is not.
select '  ' || rpad(p_name, 20) || replace(
    case when p_wrap then rtrim(regexp_replace(p_value, '(.{1,64})(?:\s+|$)', E'\\1\n', 'g'), E'\n') else p_value end,
    E'\n', E'\n' || repeat(' ', 22))
$$;
