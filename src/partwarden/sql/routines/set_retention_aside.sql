create function partwarden.set_retention_aside(p_parent_table text)
returns text
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Takes the set's retention out of pg_partman's configuration, for this transaction only, so that
-- run_maintenance() makes partitions and drops none; returns it so that it can be put back. NULL when it stays:
-- there is none, the set is not range-partitioned, or maintenance is so late that pg_partman 5 needs to know the
-- retention in order not to make partitions that it would drop at once.
declare
    v_retention text;
begin
    if not exists (
        select from partwarden.part_config(p_parent_table) as listed (config) where config ->> 'retention' is not null
    ) then
        return null;
    end if;

    {{with partition_set, headroom; part_config: select config from partwarden.part_config(p_parent_table) as listed (config)}}
    select partition_set.retention
    into v_retention
    from partition_set
    left join headroom on headroom.parent = partition_set.parent
    where case
        when partition_set.kind = 'id' then true
        else coalesce(headroom.last_upper_at > now() - partition_set.retention_step, true)
    end;
    if v_retention is not null then
        execute format('update %I.part_config set retention = null where parent_table = $1',
            partwarden.extension_schema('pg_partman'))
        using p_parent_table;
    end if;
    return v_retention;
end
$$;
