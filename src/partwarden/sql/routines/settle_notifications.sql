create function partwarden.settle_notifications()
returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
-- Settles what waits for nobody any more, because somebody else was to have it when it was sent.
select partwarden.settle_notification(waiting.number)
from partwarden.notification waiting
where waiting.delivered_at is null
  and (waiting.invoked_at is not null
       or waiting.routed_at is not null
          and not exists (select from partwarden.delivery
                          where delivery.notification_number = waiting.number and delivery.delivered_at is null))
$$;
