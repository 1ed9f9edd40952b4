create function partwarden.route_notification(p_number bigint, p_channels jsonb)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Writes down which channel is to have a notification, and what of it: {"channel": [incident, …], …}. It is settled at once
-- where that is none.
begin
    insert into partwarden.delivery (notification_number, channel, incidents, next_attempt_at)
    select p_number, chosen.key, array(select jsonb_array_elements_text(chosen.value)::bigint), clock_timestamp()
    from jsonb_each(p_channels) chosen
    on conflict do nothing;
    update partwarden.notification set routed_at = clock_timestamp() where number = p_number;
    perform partwarden.settle_notification(p_number);
end
$$;
