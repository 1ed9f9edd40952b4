create function partwarden.forgo_old_notifications()
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Before an agent chooses channels for the first time: what waits since before there was one, and is no news any more, goes
-- to nobody. That is what is older than a reminder and does not say that an incident has begun which is still open.
declare
    v_old    bigint[];
    v_number bigint;
begin
    select array_agg(waiting.number order by waiting.number) into v_old
    from partwarden.notification waiting
    cross join partwarden.setting
    where waiting.delivered_at is null
      and waiting.routed_at is null
      and waiting.created_at < now() - setting.remind_after
      and not exists (
          select from partwarden.notification_incident told
          join partwarden.incident on incident.id = told.incident_id
          where told.notification_number = waiting.number and told.event = 'opened' and incident.resolved_at is null
      );
    if v_old is null or exists (select from partwarden.notification where routed_at is not null) then
        return;
    end if;
    update partwarden.notification
    set routed_at = clock_timestamp(), last_error = 'sent to nobody: over before there was an agent'
    where number = any (v_old);
    foreach v_number in array v_old loop
        perform partwarden.settle_notification(v_number);
    end loop;
end
$$;
