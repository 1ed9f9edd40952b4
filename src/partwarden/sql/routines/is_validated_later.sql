create function partwarden.is_validated_later(p_table regclass)
returns boolean
language sql stable
set search_path = pg_catalog, pg_temp
as $$
-- Whether a foreign key of this table can be added NOT VALID: of a partitioned one from PostgreSQL 18 on.
select relkind <> 'p' or current_setting('server_version_num')::integer >= 180000 from pg_class where oid = p_table
$$;
