create function partwarden.settle_notification(p_number bigint)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- A notification is delivered when everybody has it who is to have it: the function, each of the agent's channels, or both.
-- Whoever was to have it once, and is not any more, is not told of it later.
begin
    -- Two who have just done their part must not each see the other's as missing: so they take turns.
    perform from partwarden.notification where number = p_number for update;
    update partwarden.notification
    set delivered_at = clock_timestamp()
    from partwarden.setting
    where number = p_number
      and delivered_at is null
      and (setting.delivered_by = 'nobody'
           or (setting.delivered_by = 'agent' or invoked_at is not null)
              and (setting.delivered_by = 'aws_lambda'
                   or routed_at is not null
                      and not exists (select from partwarden.delivery
                                      where delivery.notification_number = p_number and delivery.delivered_at is null)));
    if found then
        update partwarden.delivery
        set delivered_at = clock_timestamp(), claimed_until = null, refused = false,
            last_error = concat_ws(': ', 'given up', last_error)
        where notification_number = p_number and delivered_at is null;
    end if;
end
$$;
