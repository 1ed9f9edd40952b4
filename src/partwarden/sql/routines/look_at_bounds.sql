create function partwarden.look_at_bounds(p_parent_table text)
returns jsonb
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
-- How one set is configured and how far its partitions reach, by the catalog; NULL where there are no bounds to look at.
-- ahead lists the partitions that pg_partman looks into to see where the set stands, the last one first.
declare
    v_facts jsonb;
begin
    {{with partition_set, headroom; part_config: select config from partwarden.part_config(p_parent_table) as listed (config)}}
    select to_jsonb(known)
    into v_facts
    from (
        select
            partition_set.*,
            headroom.*,
            case when partition_set.kind <> 'id' then partition_set.partition_interval::interval end as step,
            case when partition_set.kind = 'id' then partition_set.partition_interval::numeric end as width,
            (
                select jsonb_agg(jsonb_build_object('child', bound.child, 'lower_at', bound.lower_at)
                                 order by bound.lower_at desc)
                from partition_bound bound
                where partition_set.kind <> 'id' and (not partition_set.infinite or bound.lower_at > now())
            ) as ahead
        from partition_set
        left join headroom on headroom.parent = partition_set.parent
    ) known;
    return v_facts;
end
$$;
