create function partwarden.begin_job(p_kind text)
returns text
language sql
set search_path = pg_catalog, pg_temp
as $$
-- The command of the agent's job, if it is due, and from now on is not; NULL where it is not. One agent at a time holds the
-- lock under which this is asked, so each time is kept once.
update partwarden.agent_job job
set last_started_at = clock_timestamp(), last_finished_at = null
where job.kind = p_kind
  and (partwarden.is_due(job.schedule, coalesce(job.last_started_at, job.since), clock_timestamp())
       -- Whoever began it held the lock, and did not come to its end.
       or job.last_started_at is not null and job.last_finished_at is null)
returning job.command
$$;
