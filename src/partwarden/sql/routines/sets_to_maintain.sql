create function partwarden.sets_to_maintain()
returns text[]
language sql stable
set search_path = pg_catalog, pg_temp
as $$
-- pg_partman's names of the sets that are to be maintained, in its own order: the user's, then by name.
select coalesce(array_agg(
    config ->> 'parent_table'
    order by (config ->> 'maintenance_order')::integer nulls last, config ->> 'parent_table'
), '{}')
from partwarden.part_config() as listed (config)
where config ->> 'automatic_maintenance' = 'on'
  and not (config ->> 'undo_in_progress')::boolean
$$;
