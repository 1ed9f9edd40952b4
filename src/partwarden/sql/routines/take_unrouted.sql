create function partwarden.take_unrouted(p_at_most integer)
returns table (number bigint, incidents jsonb, told_before jsonb)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- The oldest notifications for which nobody has chosen channels yet, for the length of this transaction: all their
-- incidents, and for each of these, by its id, the channels that have been told of it before. One agent chooses at a time,
-- so that deliveries are written in the order of notifications; to any other there are none.
begin
    perform partwarden.use_lock_timeout();
    if not pg_try_advisory_xact_lock(hashtext('partwarden route')) then
        return;
    end if;
    perform partwarden.forgo_old_notifications();
    return query
    select
        waiting.number,
        partwarden.incidents_of(waiting.*),
        (
            select coalesce(jsonb_object_agg(told.incident_id, told.channels), '{}')
            from (
                select earlier.incident_id, jsonb_agg(distinct delivery.channel) as channels
                from partwarden.notification_incident this
                join partwarden.notification_incident earlier
                    on earlier.incident_id = this.incident_id and earlier.notification_number < this.notification_number
                join partwarden.delivery
                    on delivery.notification_number = earlier.notification_number
                    and earlier.incident_id = any (delivery.incidents)
                where this.notification_number = waiting.number
                group by earlier.incident_id
            ) told
        )
    from partwarden.notification waiting
    where waiting.delivered_at is null and waiting.routed_at is null
    order by waiting.number
    limit p_at_most;
end
$$;
