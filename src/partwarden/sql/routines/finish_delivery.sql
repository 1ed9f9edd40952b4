create function partwarden.finish_delivery(
    p_number bigint, p_channel text, p_attempt integer, p_error text, p_refused boolean, p_pause interval)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Notes how an attempt went. After a failure comes a pause that doubles up to 15 minutes, at once that long where it was
-- refused, and never shorter than p_pause, which the other side has asked for. What has failed ten times, and for an hour,
-- counts as refused, whatever the reason: it may be the message, and others must not wait for it for ever.
declare
    c_longest constant interval := '15 minutes';
    c_attempts constant integer := 10;
    c_patience constant interval := '1 hour';
    v_is_over  boolean;
begin
    if p_error is null then
        update partwarden.delivery
        set delivered_at = clock_timestamp(), claimed_until = null, last_error = null, refused = false
        where notification_number = p_number and channel = p_channel and delivered_at is null;
        -- The channel takes something, perhaps again: so the oldest that it has refused is tried once more. If it takes that,
        -- the next one is.
        update partwarden.delivery
        set next_attempt_at = clock_timestamp()
        where channel = p_channel
          and notification_number = (
              select oldest.notification_number from partwarden.delivery oldest
              where oldest.channel = p_channel and oldest.delivered_at is null and oldest.refused
              order by oldest.notification_number limit 1)
          and delivered_at is null
          and next_attempt_at > clock_timestamp();
        perform partwarden.settle_notification(p_number);
        return;
    end if;
    v_is_over := p_refused or p_attempt >= c_attempts and exists (
        select from partwarden.notification
        where number = p_number and created_at < clock_timestamp() - c_patience);
    update partwarden.delivery
    set last_error = left(p_error, 1000),
        claimed_until = null,
        refused = v_is_over,
        next_attempt_at = clock_timestamp() + greatest(
            p_pause,
            case when v_is_over then c_longest
                 else least(setting.retry_after * (2 ^ least(attempts - 1, 20)), c_longest) end)
    from partwarden.setting
    where notification_number = p_number and channel = p_channel and attempts = p_attempt and delivery.delivered_at is null;
end
$$;
