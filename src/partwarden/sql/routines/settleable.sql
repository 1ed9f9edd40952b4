create function partwarden.settleable()
returns setof bigint
language sql stable
set search_path = pg_catalog, pg_temp
as $$
-- Those of the oldest thousand notifications that wait for nobody any more; what lies behind them has its turn later.
select waiting.number
from (
    select oldest.number, oldest.invoked_at, oldest.routed_at
    from partwarden.notification oldest
    where oldest.delivered_at is null
    order by oldest.number
    limit 1000
) waiting
cross join partwarden.setting
where setting.delivered_by = 'nobody'
   or (setting.delivered_by = 'agent' or waiting.invoked_at is not null)
      and (setting.delivered_by = 'aws_lambda'
           or waiting.routed_at is not null
              and not exists (select from partwarden.delivery
                              where delivery.notification_number = waiting.number and delivery.delivered_at is null))
order by waiting.number
$$;
