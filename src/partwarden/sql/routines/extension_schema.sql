create function partwarden.extension_schema(p_extension text)
returns name
language sql stable
set search_path = pg_catalog, pg_temp
as $$
select nspname from pg_namespace join pg_extension on extnamespace = pg_namespace.oid where extname = p_extension
$$;
comment on function partwarden.extension_schema(text) is 'The schema an extension is installed in; NULL where it is not.';
