-- check: set-unmanaged
-- severity: warning, critical when there is no partition for this moment
-- needs: sets
-- uses: setting, partition_set, headroom, partman
-- why: a table partitioned by range is near the end of its partitions, and nothing that we know of makes new ones
select
    case when ending.kind <> 'id' and ending.edge_at is null then 'critical' else 'warning' end as severity,
    ending.name                                                                    as object,
    case when ending.kind = 'id' then format('%s is filling its last partition, and nothing makes new ones', ending.name)
         else format('the partitions of %s end at %s, and nothing makes new ones', ending.name,
             to_char(ending.last_upper_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI "UTC"')) end as summary,
    jsonb_build_object(
        'cause', 'pg_partman is not configured for this table.',
        'last_partition_ends', ending.last_upper_text,
        'partitions', ending.partitions)                                           as detail,
    case when ending.partman is null or ending.kind not in ('time', 'id')
         then format('create table %s partition of %s for values from (%L) to (%L);',
             format('%I.%I', ending.schema, left(ending.table_name, 50) || '_next'), ending.name, ending.last_upper_text,
             coalesce((ending.last_upper_at + ending.interval)::text, (ending.last_upper_id + ending.last_width)::text))
         else format('select %I.create_parent(p_parent_table => %L, p_control => %L, p_interval => %L, %sp_start_partition => %L);',
             ending.partman, ending.schema || '.' || ending.table_name, ending.control,
             coalesce(ending.interval::text, ending.last_width::text),
             case when ending.partman_major < 5 then 'p_type => ''native'', ' end, ending.last_upper_text)
    end                                                                            as remedy,
    null::timestamptz                                                              as since
from (
    select partition_set.*, headroom.edge_at, headroom.last_upper_at, headroom.last_upper_text, headroom.last_step,
           headroom.last_width, headroom.partitions, headroom.position_at, headroom.start_at, headroom.limit_at,
           headroom.last_upper_id,
           headroom.last_upper_id - headroom.position_id as ids_left,
           -- Of months and years only the days are known.
           case when headroom.last_step between interval '28 days' and interval '31 days 1 hour' then interval '1 month'
                when headroom.last_step between interval '89 days' and interval '92 days 1 hour' then interval '3 months'
                when headroom.last_step between interval '365 days' and interval '366 days 1 hour' then interval '1 year'
                else headroom.last_step end as interval,
           partman.schema as partman,
           partman.major as partman_major,
           coalesce(setting.headroom, 3) as wanted
    from partition_set
    join headroom on headroom.parent = partition_set.parent
    cross join setting
    left join partman on true
    where not partition_set.is_managed
      and headroom.partitions > 1
      -- One that goes on for ever needs no successor.
      and not headroom.is_endless
) ending
where case
    when ending.kind = 'id' then ending.ids_left <= ending.last_width
    -- One that ended long ago is an archive.
    else ending.last_upper_at > now() - 10 * ending.last_step
         and ending.last_upper_at < now() + ending.wanted * ending.last_step
         and ending.last_upper_at < coalesce(ending.limit_at, 'infinity')
         and now() < coalesce(ending.limit_at, 'infinity')
end
