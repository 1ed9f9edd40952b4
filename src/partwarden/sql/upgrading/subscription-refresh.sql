-- concern: subscription-refresh
-- uses: part_config, part_config_sub
-- why: pg_partman 4 refreshed a subscription in its maintenance, so that new partitions were replicated; pg_partman 5 does
--      not, because PostgreSQL 14 forbids it within a transaction
select
    '5.0.0'::text    as since,
    'warning'::text  as severity,
    'subscription ' || found.subscription as object,
    'nothing refreshes it any more; have a job do it, in pg_cron for example' as what,
    '{}'::text[]     as before,
    array[format('select cron.schedule_in_database(%L, %L, %L, %L);', 'refresh ' || found.subscription, '*/10 * * * *',
        format('alter subscription %I refresh publication', found.subscription), current_database())] as after
from (
    select config ->> 'subscription_refresh' from part_config
    union
    select config ->> 'sub_subscription_refresh' from part_config_sub
) found (subscription)
where found.subscription <> ''
