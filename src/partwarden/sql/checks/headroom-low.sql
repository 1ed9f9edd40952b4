-- check: headroom-low
-- severity: warning, critical when the last partition is about to be used up
-- needs: pg_partman
-- uses: setting, partition_set, headroom, maintenance_record, id_usage, cron_job, due, partman
-- why: when the unbroken row of partitions ends, rows have nowhere to go but the default partition
select
    case when short.edge_at is null and short.kind <> 'id' then 'critical'
         when short.edge_at - least(short.step / 2, interval '3 days') <= now() then 'critical'
         when short.ahead_ids <= 0 then 'critical'
         when short.lasts < interval '1 hour' then 'critical'
         else 'warning' end                                                        as severity,
    short.name                                                                     as object,
    case
        when short.kind = 'id' and short.lasts < short.id_headroom
            then format('the partitions of %s are full in %s', short.name, short.lasts_told)
        when short.kind = 'id'
            then format('%s has %s of %s partitions ahead of its highest id', short.name, short.ahead_ids, short.premake)
        when short.edge_at is null
            then format('%s has no partition for this moment: rows go to its default partition', short.name)
        else format('the partitions of %s end at %s', short.name,
            to_char(short.edge_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI "UTC"'))
    end                                                                            as summary,
    jsonb_strip_nulls(jsonb_build_object(
        'cause', case
            when short.ends_before_next
                then format('Maintenance comes every %s, and premake makes partitions for less than that.', short.period)
            when short.kind = 'id' and short.lasts < short.id_headroom
                then 'Ids are used up faster than premake provides for.'
            else 'Maintenance has not made the next partitions in time, or one in between is missing.' end,
        'partitions_end', coalesce(short.edge_at::text, short.edge_id::text),
        'premake', short.premake,
        'interval', short.partition_interval,
        'full_in', short.lasts_told))                                              as detail,
    case
        when not short.is_maintained then format(
            E'update %1$I.part_config set automatic_maintenance = ''on'' where parent_table = %2$L;\n%3$s', short.partman, short.parent_table, short.maintain)
        when short.edge_at < short.last_upper_at or short.edge_id < short.last_upper_id
            or short.edge_at is null and short.last_upper_at > short.position_at then format(
            E'select %1$I.partition_gap_fill(%2$L);\n%3$s', short.partman, short.parent_table, short.maintain)
        when short.kind <> 'id' and not short.infinite then format(
            E'update %1$I.part_config set infinite_time_partitions = true where parent_table = %2$L;\n%3$s',
            short.partman, short.parent_table, short.maintain)
        when short.ends_before_next or short.kind = 'id' and short.lasts < short.id_headroom then format(
            E'update %1$I.part_config set premake = %4$s where parent_table = %2$L;\n%3$s',
            short.partman, short.parent_table, short.maintain, 2 * short.premake)
        else short.maintain
    end                                                                            as remedy,
    short.short_since                                                              as since
from (
    select
        partition_set.*,
        partman.schema as partman,
        partman.maintain,
        setting.id_headroom,
        headroom.position_at,
        headroom.last_upper_at,
        headroom.last_upper_id,
        headroom.edge_at,
        headroom.edge_id,
        headroom.start_at,
        headroom.limit_at,
        wanted.partitions,
        -- Half of premake missing is what is told of; the moment when it came to that, and how long that may last.
        headroom.edge_at - wanted.partitions * partition_set.step                  as short_since,
        least(setting.headroom_grace, partition_set.step / 2)                      as grace,
        ((headroom.edge_id - headroom.position_id) / partition_set.width)::integer - 1 as ahead_ids,
        used.lasts,
        replace(justify_interval(date_trunc('minute', used.lasts))::text, 'mons', 'months') as lasts_told,
        schedule.period,
        coalesce(headroom.edge_at < now() + schedule.period
            and partition_set.premake * partition_set.step < schedule.period, false) as ends_before_next,
        greatest(partition_set.last_run, record.finished_at) > now() - setting.headroom_grace as just_maintained
    from partition_set
    join headroom on headroom.parent = partition_set.parent
    cross join setting
    cross join partman
    cross join lateral (
        select coalesce(setting.headroom, ceil(partition_set.premake / 2.0))::integer as partitions
    ) wanted
    left join maintenance_record record
        on record.parent_table = partition_set.parent_table
        and record.phase = 'create' and record.outcome = 'succeeded'
    -- At the rate seen over at least an hour.
    left join id_usage usage
        on usage.parent_table = partition_set.parent_table
        and usage.last_seen >= usage.first_seen + interval '1 hour'
        and usage.last_id > usage.first_id
    cross join lateral (
        select case when usage.parent_table is not null then least(
            (headroom.edge_id - usage.last_id) / (usage.last_id - usage.first_id)
                * extract(epoch from usage.last_seen - usage.first_seen)::numeric,
            36500 * 86400::numeric)::double precision * interval '1 second' end as lasts
    ) used
    -- How often maintenance comes, where its job can be seen.
    left join (
        select min(due.last_due - due.previous_due) as period
        from cron_job
        join due on due.schedule = cron_job.schedule and due.asked_at = now()
        where cron_job.active and cron_job.maintains and cron_job.database = current_database()
    ) schedule on true
    where not partition_set.is_full
      and not headroom.is_endless
      and (partition_set.step is not null or partition_set.width is not null)
) short
where case
        when short.kind = 'id'
            then short.ahead_ids < short.partitions and short.just_maintained is not true
                 or coalesce(short.lasts < short.id_headroom, false)
        when short.last_upper_at is null then false
        when short.position_at < coalesce(short.start_at, '-infinity') then false
        when short.position_at >= coalesce(short.limit_at, 'infinity') then false
        when short.edge_at is null then true
        when short.edge_at >= coalesce(short.limit_at, 'infinity') then false
        else short.short_since + short.grace < now() or short.ends_before_next and short.infinite
      end
