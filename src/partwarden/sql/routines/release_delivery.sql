create function partwarden.release_delivery(p_number bigint, p_channel text, p_attempt integer)
returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
-- Gives a claim back, with which nothing has been done.
update partwarden.delivery
set next_attempt_at = clock_timestamp(), claimed_until = null, attempts = attempts - 1
where notification_number = p_number and channel = p_channel and attempts = p_attempt and delivered_at is null
$$;
