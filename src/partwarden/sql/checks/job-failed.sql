-- check: job-failed
-- severity: critical
-- needs: pg_cron
-- uses: job_run, maintenance_call
-- why: the newest run of a maintenance job failed. A run that could not even start has no times (pg_cron
--      leaves them NULL); it is told of like any other
select
    'critical'                                                                     as severity,
    format('job %s%s', job_run.jobid, coalesce(' (' || job.jobname || ')', ''))    as object,
    format('pg_cron job %s of database %s %s', job_run.jobid, job_run.database,
        case when job_run.start_time is null then 'could not start' else 'failed' end) as summary,
    jsonb_strip_nulls(jsonb_build_object(
        'cause', coalesce(nullif(split_part(job_run.return_message, E'\n', 1), ''), 'pg_cron gives no reason.'),
        'run_id', job_run.runid,
        'started', job_run.start_time,
        'ended', job_run.end_time,
        'user', job_run.username,
        'command', btrim(job_run.command),
        'message', job_run.return_message))                                        as detail,
    format('select * from cron.job_run_details where runid = %s;', job_run.runid)  as remedy,
    job_run.failing_since                                                          as since
from job_run
join cron.job job on job.jobid = job_run.jobid
where job_run.status = 'failed'
  and job_run.command ~* '(run_maintenance|partwarden\.maintain)'
  -- A later call by hand in this database that went through makes up for a failed run of the job.
  and not (
      job_run.database = current_database()
      and job_run.command ~* 'partwarden\.maintain'
      and exists (
          select from maintenance_call call
          where call.outcome = 'succeeded'
            and call.started_at > coalesce(job_run.end_time, job_run.failing_since)
      )
  )
