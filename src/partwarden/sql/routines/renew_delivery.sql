create function partwarden.renew_delivery(p_number bigint, p_channel text, p_attempt integer)
returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
-- Keeps a claim for longer: it is still being sent.
update partwarden.delivery
set next_attempt_at = until.claimed, claimed_until = until.claimed
from (select clock_timestamp() + setting.invoke_timeout + interval '5 seconds' from partwarden.setting) until (claimed)
where notification_number = p_number and channel = p_channel and attempts = p_attempt and delivery.delivered_at is null
$$;
