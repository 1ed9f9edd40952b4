create function partwarden.give_up_deliveries(p_channel text, p_notification bigint default null)
returns integer
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Gives up what waits for a channel: all of it, or one notification. For a channel that is no more, and a message that it
-- will never take. Returns how many were given up.
declare
    v_numbers bigint[];
begin
    with given_up as (
        update partwarden.delivery
        set delivered_at = clock_timestamp(), claimed_until = null, refused = false, last_error = concat_ws(': ', 'given up', last_error)
        where channel = p_channel
          and delivered_at is null
          and (p_notification is null or notification_number = p_notification)
        returning notification_number
    )
    select coalesce(array_agg(notification_number), '{}') into v_numbers from given_up;
    perform partwarden.settle_notification(number) from unnest(v_numbers) as number;
    return cardinality(v_numbers);
end
$$;
comment on function partwarden.give_up_deliveries(text, bigint) is
    'Gives up what waits for a channel of the agent''s: all of it, or one notification.';
