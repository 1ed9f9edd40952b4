-- check: job-failed
-- severity: critical
-- needs: pg_cron, runs, jobs
-- uses: cron_job, job_run, maintenance_call
-- why: the newest run of a maintenance job failed
select
    'critical'                                                                     as severity,
    cron_job.object                                                                as object,
    format('pg_cron job %s of database %s failed', job_run.jobid, job_run.database) as summary,
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
join cron_job on cron_job.jobid = job_run.jobid and cron_job.maintains
where job_run.status = 'failed'
  and not job_run.could_not_connect
  -- A later call by hand in this database that went through makes up for a failed run of the job.
  and not (
      job_run.database = current_database()
      and job_run.command ~* 'partwarden\.maintain'
      and exists (
          select from maintenance_call call
          where call.started_at > coalesce(job_run.end_time, job_run.failing_since)
      )
  )
