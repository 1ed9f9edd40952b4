create function partwarden.child_name(p_table_name name, p_suffix text)
returns name
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
-- The name that pg_partman gives to a partition: its check_name_length() cuts the table's name so that the suffix fits.
select (substr(('_p' || p_suffix || p_table_name)::name::text, length('_p' || p_suffix) + 1) || '_p' || p_suffix)::name
$$;
