create function partwarden.claim_deliveries(p_channels text[])
returns table (number bigint, channel text, attempt integer, id uuid, created_at timestamptz, cluster text,
               subject text, message text, incidents jsonb, is_whole boolean, overtaken bigint[])
language sql
set search_path = pg_catalog, pg_temp
as $$
-- Takes for each of these channels the oldest delivery, if it is due: whoever comes next leaves it alone as long as the
-- claim is renewed, and after a kill it comes back when the claim is over. Those behind it wait, so that nobody hears of an
-- end before the beginning; unless it was refused, which may last. Then what overtakes it tells of the same incidents later:
-- "overtaken" are those of which the channel has heard newer things already.
with chosen as materialized (
    select next.notification_number, next.channel
    from unnest(p_channels) as asked (channel)
    cross join lateral (
        select waiting.notification_number, waiting.channel
        from partwarden.delivery waiting
        where waiting.channel = asked.channel
          and waiting.delivered_at is null
          and waiting.next_attempt_at <= clock_timestamp()
          and not exists (select from partwarden.delivery older
                          where older.channel = waiting.channel
                            and older.delivered_at is null
                            and not older.refused
                            and older.notification_number < waiting.notification_number)
        order by waiting.notification_number
        limit 1
        for update of waiting skip locked
    ) next
),
claimed as (
    update partwarden.delivery
    set attempts = delivery.attempts + 1,
        refused = false,
        next_attempt_at = clock_timestamp() + setting.invoke_timeout + interval '5 seconds'
    from chosen
    cross join partwarden.setting
    where delivery.notification_number = chosen.notification_number and delivery.channel = chosen.channel
    returning delivery.*
)
select
    claimed.notification_number,
    claimed.channel,
    claimed.attempts,
    notification.id,
    notification.created_at,
    notification.payload ->> 'cluster',
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
    notification.payload ->> 'cluster', told.incidents, notification.created_at) written
$$;
