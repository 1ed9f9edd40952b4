create function partwarden.last_due(p_schedule text, p_at timestamptz, p_zone text)
returns timestamptz
language sql stable
set search_path = pg_catalog, pg_temp
as $$
-- When pg_cron should last have fired the schedule, at p_at or before, in the time zone that is its cron.timezone;
-- NULL if it cannot be read, never fires, or says 'N seconds'.
{{with due; schedule_asked: select p_schedule as schedule, p_at as asked_at, p_zone as zone, (select extversion from pg_extension where extname = 'pg_cron') as cron_version}}
select due.last_due from due
$$;
comment on function partwarden.last_due(text, timestamptz, text)
    is 'The newest instant up to the given one at which pg_cron should have fired the schedule, in that time zone.';
