create function partwarden.retry_deliveries(p_channels text[])
returns integer
language sql
set search_path = pg_catalog, pg_temp
as $$
-- Has what these channels refused be tried at once: somebody may have mended them. Returns how many there are.
with due as (
    update partwarden.delivery
    set next_attempt_at = clock_timestamp()
    where channel = any (p_channels) and refused and delivered_at is null
    returning 1
)
select count(*)::integer from due
$$;
