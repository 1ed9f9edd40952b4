create function partwarden.claim_notification()
returns partwarden.notification
language sql
set search_path = pg_catalog, pg_temp
as $$
-- Takes the oldest notification that the function has not taken, if it is due, and puts its next attempt off before
-- this one is made: whoever comes next leaves it alone meanwhile, and a kill costs no more than the pause. None where
-- an agent alone delivers.
update partwarden.notification
set attempts = attempts + 1,
    next_attempt_at = clock_timestamp()
        + setting.invoke_timeout
        + least(setting.retry_after * (2 ^ least(attempts, 20)), interval '15 minutes')
from partwarden.setting
where number = (
        select oldest.number from partwarden.notification oldest
        where oldest.delivered_at is null and oldest.invoked_at is null
        order by oldest.number
        limit 1
        for update
    )
  and next_attempt_at <= clock_timestamp()
  and setting.delivered_by in ('aws_lambda', 'both')
returning notification.*
$$;
