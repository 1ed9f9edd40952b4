create function partwarden.finish_delivery(
    p_number bigint, p_channel text, p_attempt integer, p_error text, p_refused boolean, p_pause interval)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Notes how an attempt went. After a failure comes a pause that doubles up to 15 minutes, at once that long where it was
-- refused, and never shorter than p_pause, which the other side has asked for.
declare
    c_longest constant interval := '15 minutes';
begin
    if p_error is null then
        update partwarden.delivery
        set delivered_at = clock_timestamp(), last_error = null, refused = false
        where notification_number = p_number and channel = p_channel and delivered_at is null;
        -- The channel takes something, perhaps again: so what it has refused is tried once more.
        update partwarden.delivery
        set next_attempt_at = clock_timestamp()
        where channel = p_channel and refused and delivered_at is null and next_attempt_at > clock_timestamp();
        perform partwarden.settle_notification(p_number);
        return;
    end if;
    update partwarden.delivery
    set last_error = left(p_error, 1000),
        refused = p_refused,
        next_attempt_at = clock_timestamp() + greatest(
            p_pause,
            case when p_refused then c_longest
                 else least(setting.retry_after * (2 ^ least(attempts - 1, 20)), c_longest) end)
    from partwarden.setting
    where notification_number = p_number and channel = p_channel and attempts = p_attempt and delivery.delivered_at is null;
end
$$;
