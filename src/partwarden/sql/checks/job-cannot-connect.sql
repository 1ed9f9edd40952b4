-- check: job-cannot-connect
-- severity: critical
-- needs: pg_cron, runs, jobs
-- uses: cron_job, job_run
-- why: pg_cron could not connect to run the job, so nothing of it ran. Older versions record no times for such a run,
--      and monitors that compute with them see nothing
select
    'critical'                                                                     as severity,
    cron_job.object                                                                as object,
    format('pg_cron could not connect to database %s as %s to run job %s',
        job_run.database, job_run.username, job_run.jobid)                         as summary,
    jsonb_strip_nulls(jsonb_build_object(
        'cause', coalesce(nullif(split_part(job_run.return_message, E'\n', 1), ''), 'pg_cron gives no reason.'),
        'run_id', job_run.runid,
        'host', cron_job.nodename,
        'user', job_run.username,
        'command', btrim(job_run.command)))                                        as detail,
    format('select jobid, nodename, nodeport, database, username from cron.job where jobid = %s;'
           '  -- can pg_cron log in there? pg_hba.conf, .pgpass, or cron.use_background_workers = on', cron_job.jobid)
                                                                                   as remedy,
    job_run.failing_since                                                          as since
from job_run
join cron_job on cron_job.jobid = job_run.jobid
where job_run.could_not_connect
  and cron_job.active
  -- Otherwise job-wrong-target says it better.
  and cron_job.database_exists and cron_job.role_exists and cron_job.role_can_login and cron_job.role_can_connect
