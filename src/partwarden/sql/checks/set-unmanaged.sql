-- check: set-unmanaged
-- severity: warning, critical when there is no partition for this moment
-- needs: sets
-- uses: setting, partition_set, partition_child, headroom
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
    format('select partman.create_parent(%L, %L, %s);  -- pg_partman 5; or make the next partition yourself: '
           'create table … partition of %s for values from (%L) to (…);',
        ending.schema || '.' || ending.table_name, ending.control,
        quote_literal(coalesce(ending.last_step::text, ending.last_width::text)), ending.name, ending.last_upper_text) as remedy,
    null::timestamptz                                                              as since
from (
    select partition_set.*, headroom.edge_at, headroom.last_upper_at, headroom.last_upper_text, headroom.last_step,
           headroom.last_width, headroom.partitions, headroom.position_at, headroom.start_at, headroom.limit_at,
           headroom.last_upper_id - headroom.position_id as ids_left,
           coalesce(setting.headroom, 3) as wanted
    from partition_set
    join headroom on headroom.parent = partition_set.parent
    cross join setting
    where not partition_set.is_managed
      and headroom.partitions > 1
      -- One that goes on for ever needs no successor.
      and not exists (
          select from partition_child
          where partition_child.parent = partition_set.parent and partition_child.bound ~ 'TO \((MAXVALUE|''infinity'')\)')
) ending
where case
    when ending.kind = 'id' then ending.ids_left <= ending.last_width
    -- One that ended long ago is an archive.
    else ending.last_upper_at > now() - 10 * ending.last_step
         and ending.last_upper_at < now() + ending.wanted * ending.last_step
         and ending.last_upper_at < coalesce(ending.limit_at, 'infinity')
         and now() < coalesce(ending.limit_at, 'infinity')
end
