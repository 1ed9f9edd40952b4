create function partwarden.claim_deliveries(p_channels text[])
returns table (number bigint, channel text, attempt integer, id uuid, created_at timestamptz, cluster text, database text,
               subject text, message text, incidents jsonb, is_whole boolean, overtaken bigint[])
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Takes for each of these channels the oldest delivery, if it is due: nothing else is sent to that channel as long as the
-- claim is renewed, and after a kill it comes back when the claim is over. Those behind it wait, so that nobody hears of an
-- end before the beginning; unless it was refused, which may last. What was refused comes after what was not, and tells
-- perhaps of incidents of which the channel has heard newer things by then: these are "overtaken".
declare
    v_channels text[];
begin
    -- Of several agents one claims at a time; whoever comes meanwhile takes nothing, and looks again.
    select array_agg(asked.name) into v_channels
    from unnest(p_channels) as asked (name)
    where pg_try_advisory_xact_lock(hashtext('partwarden claim ' || asked.name));
    return query
    with chosen as materialized (
        select next.notification_number, asked.name
        from unnest(v_channels) as asked (name)
        left join lateral (
            select waiting.notification_number, waiting.next_attempt_at
            from partwarden.delivery waiting
            where waiting.channel = asked.name and waiting.delivered_at is null and not waiting.refused
            order by waiting.notification_number limit 1
        ) fresh on true
        left join lateral (
            select waiting.notification_number, waiting.next_attempt_at
            from partwarden.delivery waiting
            where waiting.channel = asked.name and waiting.delivered_at is null and waiting.refused
              and waiting.next_attempt_at <= clock_timestamp()
              and fresh.notification_number is null
            order by waiting.notification_number limit 1
        ) refused on true
        cross join lateral (values
            (coalesce(fresh.notification_number, refused.notification_number),
             coalesce(fresh.next_attempt_at, refused.next_attempt_at))
        ) next (notification_number, next_attempt_at)
        where next.next_attempt_at <= clock_timestamp()
          and not exists (select from partwarden.delivery sent
                          where sent.channel = asked.name and sent.delivered_at is null
                            and sent.claimed_until is not null and sent.claimed_until > clock_timestamp())
    ),
    claimed as (
        update partwarden.delivery
        set attempts = delivery.attempts + 1,
            refused = false,
            claimed_until = until.claimed,
            next_attempt_at = until.claimed
        from chosen
        cross join (
            select clock_timestamp() + setting.invoke_timeout + interval '5 seconds' from partwarden.setting
        ) until (claimed)
        where delivery.notification_number = chosen.notification_number and delivery.channel = chosen.name
          and delivery.delivered_at is null
        returning delivery.*
    )
    select
        claimed.notification_number,
        claimed.channel,
        claimed.attempts,
        notification.id,
        notification.created_at,
        notification.payload ->> 'cluster',
        coalesce(notification.payload ->> 'database', current_database()::text),
        case when told.is_whole then notification.subject else written.subject end,
        case when told.is_whole then notification.message else written.message end,
        told.incidents,
        told.is_whole,
        array(
            select link.incident_id
            from partwarden.notification_incident link
            join partwarden.notification_incident later
                on later.incident_id = link.incident_id and later.notification_number > link.notification_number
            join partwarden.delivery heard
                on heard.notification_number = later.notification_number
                and heard.channel = claimed.channel
                and heard.delivered_at is not null
                and later.incident_id = any (heard.incidents)
            where link.notification_number = claimed.notification_number
        )
    from claimed
    join partwarden.notification on notification.number = claimed.notification_number
    cross join lateral (
        select
            coalesce(jsonb_agg(one.told order by one.number) filter (where (one.told ->> 'id')::bigint = any (claimed.incidents)), '[]')
                as incidents,
            coalesce(bool_and((one.told ->> 'id')::bigint = any (claimed.incidents)), true) as is_whole
        from jsonb_array_elements(partwarden.incidents_of(notification.*)) with ordinality as one (told, number)
    ) told
    cross join lateral partwarden.write_message(
        notification.payload ->> 'cluster', told.incidents, notification.created_at) written;
end
$$;
