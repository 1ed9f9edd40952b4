-- relation: due
-- uses: schedule_asked
-- why: when pg_cron should last have fired each schedule, and whether it ever does: read as its own parser reads it,
--      and matched as it matches, every real minute turned into the local time of the zone.
select
    asked.schedule,
    asked.asked_at,
    asked.zone,
    make_interval(secs => timer.seconds) as every,
    newest.instants[1] as last_due,
    newest.instants[2] as previous_due,
    case when timer.seconds is not null then true else calendar.fires end as fires
from schedule_asked asked
cross join lateral (
    -- Before 1.5 no '$' and no seconds, @yearly fired, and a reversed range held nothing.
    select coalesce(asked.cron_version ~ '^(0|1\.[0-4])(\D|$)', false) as is_old
) pg_cron
cross join lateral (
    select case when timed.seconds > 0 and not pg_cron.is_old then timed.seconds end as seconds
    from (
        select (regexp_match(
            lower(asked.schedule collate "C"), '^\s*\+?0*([1-5]?[0-9])\s*second(?:s\s*)?$'))[1]::integer as seconds
    ) timed
) timer
cross join lateral (
    -- Blank lines and lines of comment may go before; what follows the fifth field is ignored.
    select case when octet_length(asked.schedule) < 1000 then regexp_match(
        asked.schedule collate "C",
        '^(?:[ \t]*(?:#[^\n]*)?\n)*[ \t]*([^ \t\n]+)'
        '(?:[ \t]+([^ \t\n]+)[ \t]+([^ \t\n]+)[ \t]+([^ \t\n]+)[ \t]+([^ \t\n]+))?'
    ) end as words
    offset 0
) written
cross join lateral (
    -- February 30 stands for never.
    select case
        when left(written.words[1], 1) <> '@' and written.words[5] is not null then written.words
        when written.words[1] = '@hourly' then '{0,*,*,*,*}'
        when written.words[1] in ('@daily', '@midnight') then '{0,0,*,*,*}'
        when written.words[1] = '@weekly' then '{0,0,*,*,0}'
        when written.words[1] = '@monthly' then '{0,0,1,*,*}'
        when written.words[1] in ('@yearly', '@annually') and pg_cron.is_old then '{0,0,1,1,*}'
        when written.words[1] in ('@yearly', '@annually', '@reboot', '@restart') then '{0,0,30,2,*}'
    end as words
    offset 0
) spelled
cross join lateral (
    select
        coalesce(bool_and(element.is_valid), false)
            and not (pg_cron.is_old and spelled.words[3] = '$') as is_valid,
        spelled.words[3] = '$' as on_last_day,
        left(spelled.words[3], 1) = '*' or left(spelled.words[5], 1) = '*' as needs_both,
        coalesce(array_agg(distinct element.value) filter (where element.place = 1), '{}') as minutes,
        coalesce(array_agg(distinct element.value) filter (where element.place = 2), '{}') as hours,
        coalesce(array_agg(distinct element.value) filter (where element.place = 3), '{}') as days_of_month,
        coalesce(array_agg(distinct element.value) filter (where element.place = 4), '{}') as months,
        coalesce(array_agg(distinct mod(element.value, 7)) filter (where element.place = 5), '{}') as days_of_week
    from (
        select case when element.value is not null then field.place end as place, item.is_valid, element.value
        from (
            select
                allowed.*,
                -- What stands behind the list's last readable character is ignored: mon#1 is every Monday.
                (regexp_match(
                    lower(word.text collate "C"),
                    '^((?:\*|[a-z0-9]+(?:-[a-z0-9]*)?)?(?:/[a-z0-9]*)?'
                    '(?:,(?:\*|[a-z0-9]+(?:-[a-z0-9]*)?)?(?:/[a-z0-9]*)?)*)'
                ))[1] as list
            from unnest(spelled.words) with ordinality as word (text, place)
            join (
                values
                    (1, 0, 59, '{}'::text[]),
                    (2, 0, 23, '{}'),
                    (3, 1, 31, '{}'),
                    (4, 1, 12, '{jan,feb,mar,apr,may,jun,jul,aug,sep,oct,nov,dec}'),
                    (5, 0, 7, '{sun,mon,tue,wed,thu,fri,sat}')
            ) as allowed (place, low, high, names) on allowed.place = word.place
            where not (word.place = 3 and word.text = '$')
        ) field
        left join lateral unnest(string_to_array(field.list, ',')) as part (text) on true
        cross join lateral (
            select
                coalesce(
                    bounds.first between field.low and field.high
                    and bounds.last between field.low and field.high
                    and bounds.step between 1 and 2147483647,
                    false
                ) as is_valid,
                bounds.first,
                bounds.last,
                bounds.step
            from regexp_match(
                part.text, '^(?:(\*)|([a-z0-9]+)(?:-([a-z0-9]+))?)(?:/([0-9]+))?$'
            ) as token (words)
            cross join lateral (
                select
                    case
                        when token.words[1] = '*' then field.low
                        when token.words[2] = any (field.names)
                            then array_position(field.names, token.words[2]) - 1 + field.low
                        when token.words[2] ~ '^[0-9]+$' then token.words[2]::numeric
                    end as first,
                    case
                        when token.words[1] = '*' then field.high
                        when token.words[3] = any (field.names)
                            then array_position(field.names, token.words[3]) - 1 + field.low
                        when token.words[3] ~ '^[0-9]+$' then token.words[3]::numeric
                    end as last,
                    token.words[4]::numeric as step
            ) number
            cross join lateral (
                select
                    number.first,
                    -- A step without a range (5/10) is an error.
                    case when token.words[1] is null and token.words[3] is null and number.step is null
                         then number.first else number.last end as last,
                    coalesce(number.step, 1) as step
            ) bounds
            offset 0
        ) item
        left join lateral (
            select value
            from generate_series(0, 59) as value
            where item.is_valid
              and value between field.low and field.high
              and case
                      when item.first <= item.last
                          then value between item.first and item.last and mod(value - item.first, item.step) = 0
                      -- pg_cron fills a reversed range byte by byte of its bit map: from the first element to its
                      -- byte's end, and from the start of the last one's byte to it, if these are two bytes.
                      when not pg_cron.is_old and item.step = 1
                          then div(item.first - field.low, 8) > div(item.last - field.low, 8)
                              and (value >= item.first
                                      and (value - field.low) / 8 = div(item.first - field.low, 8)
                                  or value <= item.last
                                      and (value - field.low) / 8 = div(item.last - field.low, 8))
                      else false
                  end
        ) element on true
    ) element
) parsed
cross join lateral (
    select
        case when parsed.is_valid then
            parsed.minutes <> '{}' and parsed.hours <> '{}' and parsed.months <> '{}'
            and case when parsed.needs_both
                     then parsed.days_of_week <> '{}' and date.is_possible
                     else parsed.days_of_week <> '{}' or date.is_possible
                end
        end as fires,
        -- Far enough to hold five days that match, where it takes no February 29.
        case
            when parsed.months <> '{1,2,3,4,5,6,7,8,9,10,11,12}' then 12 * 41
            when case when parsed.needs_both then cardinality(parsed.days_of_month) = 31
                      else parsed.days_of_week <> '{}' end then 2
            when parsed.days_of_week = '{0,1,2,3,4,5,6}' then 10
            else 12 * 41
        end as months_back
    from (
        -- The arrays are sorted.
        select coalesce(
            parsed.on_last_day
            or parsed.days_of_month[1]
                <= case when parsed.months && '{1,3,5,7,8,10,12}' then 31
                        when parsed.months && '{4,6,9,11}' then 30
                        else 29
                   end,
            false
        ) as is_possible
    ) date
    offset 0
) calendar
cross join lateral (
    -- Five days, because one may lack its hours: the clocks change, or it is today. Tomorrow too, because clocks may
    -- go back past midnight.
    select array_agg(found.day) as days
    from (
        select month.first_day + number - 1 as day
        from (
            select
                (tomorrow.month - back * interval '1 month')::date as first_day,
                (tomorrow.month - (back - 1) * interval '1 month')::date - 1 as last_day,
                tomorrow.day as tomorrow
            from (
                select clock.tomorrow::date as day, date_trunc('month', clock.tomorrow) as month
                from (select asked.asked_at at time zone asked.zone + interval '1 day' as tomorrow) clock
            ) tomorrow
            cross join generate_series(0, 12 * 41) as back
            where back <= calendar.months_back
        ) month
        cross join generate_series(1, 31) as number
        cross join lateral (
            select
                number = any (parsed.days_of_month) or case
                    -- The last day but one has a minute that is 24 hours before a first if the last day has 23.
                    when parsed.on_last_day and number >= month.last_day - month.first_day
                        then extract(day from (
                            (month.first_day + number)::timestamp at time zone asked.zone
                            + interval '23 hours 59 minutes'
                        ) at time zone asked.zone) = 1
                    else false
                end as by_date,
                extract(dow from month.first_day + number - 1)::integer = any (parsed.days_of_week) as by_weekday
        ) matches
        where calendar.fires
          and number <= least(month.last_day, month.tomorrow) - month.first_day + 1
          and extract(month from month.first_day)::integer = any (parsed.months)
          and case when parsed.needs_both then matches.by_date and matches.by_weekday
                   else matches.by_date or matches.by_weekday end
        order by day desc
        limit 5
    ) found
) matching
cross join lateral (
    -- No zone is further from UTC than 15 hours.
    select array_agg(distinct moment.at at time zone asked.zone - moment.at at time zone 'UTC') as utc_offsets
    from unnest(matching.days) as day
    cross join unnest('{-15,39}'::integer[]) as hours
    cross join lateral (
        select day::timestamp at time zone 'UTC' + hours * interval '1 hour' as at
    ) moment
) local
cross join lateral (
    select array_agg(hit.instant order by hit.instant desc) as instants
    from (
        select distinct fired.instant
        from (
            -- Six hours, because one may lack its minutes; with '$' those of a whole day may not count, see below.
            select midnight.at + hour * interval '1 hour' as local_start, utc_offset
            from unnest(matching.days) as day
            cross join lateral (select day::timestamp at time zone 'UTC' as at) midnight
            cross join unnest(parsed.hours) as hour
            cross join unnest(local.utc_offsets) as utc_offset
            where midnight.at + hour * interval '1 hour' - utc_offset <= asked.asked_at
              and (
                  cardinality(local.utc_offsets) = 1
                  -- The hour exists under this offset if its first or its last minute does.
                  or (midnight.at + hour * interval '1 hour' - utc_offset) at time zone asked.zone
                      = (midnight.at + hour * interval '1 hour') at time zone 'UTC'
                  or (midnight.at + hour * interval '1 hour' + interval '59 minutes' - utc_offset)
                      at time zone asked.zone
                      = (midnight.at + hour * interval '1 hour' + interval '59 minutes') at time zone 'UTC'
              )
            order by midnight.at + hour * interval '1 hour' - utc_offset desc
            limit case when parsed.on_last_day then 32 else 6 end
        ) hour
        cross join unnest(parsed.minutes) as minute
        cross join lateral (
            select hour.local_start + minute * interval '1 minute' - hour.utc_offset as instant
        ) fired
        where fired.instant <= asked.asked_at
          and (
              cardinality(local.utc_offsets) = 1
              or fired.instant at time zone asked.zone
                  = (hour.local_start + minute * interval '1 minute') at time zone 'UTC'
          )
          -- pg_cron takes for a month's last day one that is followed by a first 24 hours later, which is not quite
          -- the same when a day has 23 or 25.
          and (
              not parsed.on_last_day
              or extract(day from (fired.instant + interval '24 hours') at time zone asked.zone) = 1
              or not parsed.needs_both
                  and extract(dow from fired.instant at time zone asked.zone)::integer = any (parsed.days_of_week)
          )
        order by fired.instant desc
        limit 2
    ) hit
) newest
