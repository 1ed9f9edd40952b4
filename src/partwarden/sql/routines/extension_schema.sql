create function partwarden.extension_schema(p_extension text)
returns name
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select nspname from pg_namespace join pg_extension on extnamespace = pg_namespace.oid where extname = p_extension
    );
end
$$;
comment on function partwarden.extension_schema(text) is 'The schema an extension is installed in; NULL where it is not.';
