create function partwarden.note_reach()
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
set jit = off
set enable_nestloop = off
as $$
-- Takes note, once an hour, of where the partitions of each set by time end, so that it can be told whether they get fewer.
begin
    if exists (select from partwarden.monitor_state where reach_noted_at > now() - interval '1 hour')
        or partwarden.extension_schema('pg_partman') is null
    then
        return;
    end if;
    insert into partwarden.reach (parent_table, seen_at, edge_at)
    select noted.parent_table, now(), noted.edge_at
    from (
        {{with partition_set, headroom; part_config: select config from partwarden.part_config() as listed (config)}}
        select partition_set.parent_table, coalesce(headroom.edge_at, least(headroom.last_upper_at, now())) as edge_at
        from partition_set
        join headroom on headroom.parent = partition_set.parent
        where partition_set.kind in ('time', 'epoch', 'encoded') and headroom.last_upper_at is not null
    ) noted
    where isfinite(noted.edge_at);
    update partwarden.monitor_state set reach_noted_at = now();
    delete from partwarden.reach where seen_at < now() - interval '8 days';
end
$$;
