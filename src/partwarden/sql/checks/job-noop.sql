-- check: job-noop
-- severity: critical
-- needs: pg_partman, pg_cron, runs, jobs
-- uses: part_config, cron_job, job_run
-- why: the newest run of the maintenance job "succeeded", and not one set was maintained: pg_partman returns without an
--      error when another session holds its lock
select
    'critical'                                                                     as severity,
    cron_job.object                                                                as object,
    format('pg_cron job %s succeeded and maintained none of the %s partition sets', cron_job.jobid, sets.number) as summary,
    jsonb_build_object(
        'cause', 'pg_partman''s maintenance returns without doing anything when another session holds its lock.',
        'run_id', job_run.runid,
        'started', job_run.start_time,
        'last_maintained', sets.last_run)                                          as detail,
    'select pid, granted from pg_locks where locktype = ''advisory'';'             as remedy,
    sets.last_run                                                                  as since
from cron_job
join job_run on job_run.jobid = cron_job.jobid
cross join (
    select count(*) as number, max((config ->> 'maintenance_last_run')::timestamptz) as last_run
    from part_config
    where config ->> 'automatic_maintenance' = 'on'
      and config ? 'maintenance_last_run'
) sets
where cron_job.active
  and cron_job.database = current_database()
  -- Maintenance of all sets by pg_partman itself; partwarden.maintain() tells of its own failures.
  and cron_job.command ~* '\mrun_maintenance(_proc)?\s*\(\s*\)'
  and job_run.status = 'succeeded'
  and sets.number > 0
  -- pg_partman 5.5 forgets the time of a set that it skips: maintenance-stale tells of that.
  and sets.last_run < job_run.start_time
