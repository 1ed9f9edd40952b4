create function partwarden.part_config(p_parent_table text default null)
returns setof jsonb
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
-- pg_partman's configuration, of one set or of all, as jsonb: its columns differ by version, its schema by
-- installation, and it may come and go without our doing.
declare
    v_schema name := partwarden.extension_schema('pg_partman');
begin
    if v_schema is null then
        return;
    end if;
    return query execute format(
        'select to_jsonb(config) from %I.part_config config where $1 is null or config.parent_table = $1', v_schema)
    using p_parent_table;
end
$$;
comment on function partwarden.part_config(text) is 'pg_partman''s configuration as jsonb; no rows without it.';
