create function partwarden.look_at_bounds(p_parent_table text)
returns jsonb
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
-- How one set is configured and how far its partitions reach; NULL where there are no bounds to look at.
begin
    return (
        {{with partition_set, partition_bound, headroom, locked; part_config: select config from partwarden.part_config(p_parent_table) as listed (config)}}
        select seen.facts from ({{source set_facts}}) seen
    );
end
$$;
