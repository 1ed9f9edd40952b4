create function partwarden.like_pattern(p_glob text)
returns text
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
-- A pattern with stars, as LIKE takes it.
begin
    return replace(regexp_replace(p_glob, '([\\%_])', '\\\1', 'g'), '*', '%');
end
$$;
