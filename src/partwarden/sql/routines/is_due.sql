create function partwarden.is_due(p_schedule text, p_since timestamptz, p_at timestamptz)
returns boolean
language sql stable
set search_path = pg_catalog, pg_temp
as $$
-- Whether the schedule has come round between the two moments, as pg_cron reads it, in GMT.
{{with due; schedule_asked: select p_schedule as schedule, p_at as asked_at, 'GMT'::text as zone, null::text as cron_version}}
select coalesce(due.last_due > p_since, p_since + due.every <= p_at, false) from due
$$;
