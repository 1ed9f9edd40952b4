-- check: headroom-low
-- severity: warning, critical when the last partition is about to be used up
-- needs: pg_partman
-- uses: setting, partition_set, headroom, maintenance_record
-- why: when the unbroken row of partitions ends, rows have nowhere to go but the default partition
select
    case when short.edge_at is null and short.kind <> 'id' then 'critical'
         when short.edge_at - least(short.step / 2, interval '3 days') <= now() then 'critical'
         when short.ahead_ids <= 0 then 'critical'
         else 'warning' end                                                        as severity,
    short.name                                                                     as object,
    case
        when short.kind = 'id'
            then format('%s has %s of %s partitions ahead of its highest id', short.name, short.ahead_ids, short.premake)
        when short.edge_at is null
            then format('%s has no partition for this moment: rows go to its default partition', short.name)
        else format('the partitions of %s end at %s', short.name,
            to_char(short.edge_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI "UTC"'))
    end                                                                            as summary,
    jsonb_build_object(
        'cause', 'Maintenance has not made the next partitions in time, or one in between is missing.',
        'partitions_end', coalesce(short.edge_at::text, short.edge_id::text),
        'premake', short.premake,
        'interval', short.partition_interval)                                      as detail,
    case
        when not short.is_maintained then format(
            E'update %1$I.part_config set automatic_maintenance = ''on'', undo_in_progress = false'
            ' where parent_table = %2$L;\ncall partwarden.maintain();', short.partman, short.parent_table)
        when short.edge_at < short.last_upper_at or short.edge_id < short.last_upper_id
            or short.edge_at is null and short.last_upper_at > short.position_at then format(
            E'select %1$I.partition_gap_fill(%2$L);\ncall partwarden.maintain();', short.partman, short.parent_table)
        when short.kind <> 'id' and not short.infinite then format(
            E'update %1$I.part_config set infinite_time_partitions = true where parent_table = %2$L;\n'
            'call partwarden.maintain();', short.partman, short.parent_table)
        else 'call partwarden.maintain();'
    end                                                                            as remedy,
    short.short_since                                                              as since
from (
    select
        partition_set.*,
        partman.schema as partman,
        headroom.position_at,
        headroom.last_upper_at,
        headroom.last_upper_id,
        headroom.edge_at,
        headroom.edge_id,
        headroom.start_at,
        headroom.limit_at,
        timed.step,
        wanted.partitions,
        -- Half of premake missing is what is told of; the moment when it came to that, and how long that may last.
        headroom.edge_at - wanted.partitions * timed.step                          as short_since,
        least(setting.headroom_grace, timed.step / 2)                              as grace,
        ((headroom.edge_id - headroom.position_id) / timed.width)::integer - 1     as ahead_ids,
        greatest(partition_set.last_run, record.finished_at) > now() - setting.headroom_grace as just_maintained
    from partition_set
    join headroom on headroom.parent = partition_set.parent
    cross join setting
    cross join (
        select nspname as schema from pg_namespace join pg_extension on extnamespace = pg_namespace.oid
        where extname = 'pg_partman'
    ) partman
    cross join lateral (
        select case when partition_set.kind <> 'id' then partition_set.partition_interval::interval end as step,
               case when partition_set.kind = 'id' then partition_set.partition_interval::numeric end as width
    ) timed
    cross join lateral (select ceil(partition_set.premake / 2.0)::integer as partitions) wanted
    left join maintenance_record record
        on record.parent_table = partition_set.parent_table
        and record.phase = 'create' and record.outcome = 'succeeded'
    where not partition_set.is_full
      and headroom.last_upper_text is not null
) short
where case
        when short.kind = 'id'
            then short.ahead_ids < short.partitions and short.just_maintained is not true
        when short.position_at < coalesce(short.start_at, '-infinity') then false
        when short.position_at >= coalesce(short.limit_at, 'infinity') then false
        when short.edge_at is null then true
        when short.edge_at >= coalesce(short.limit_at, 'infinity') then false
        else short.short_since + short.grace < now()
      end
