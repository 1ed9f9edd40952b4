create function partwarden.partition_count(p_parent_table text)
returns integer
language sql stable
set search_path = pg_catalog, pg_temp
as $$
{{with partition_set; part_config: partwarden.part_config(p_parent_table)}}
select count(*)::integer from partition_set join pg_inherits on inhparent = partition_set.parent
$$;
