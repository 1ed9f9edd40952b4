-- check: job-never-fires
-- severity: critical, warning for jobs other than maintenance
-- needs: pg_cron, jobs
-- uses: cron_job, due
-- why: pg_cron takes schedules that no moment ever meets, such as a range from Saturday to Sunday or the 30th of February,
--      and is silent about them
select
    case when cron_job.maintains then 'critical' else 'warning' end                as severity,
    cron_job.object                                                                as object,
    format('the schedule of pg_cron job %s never comes: %s', cron_job.jobid, cron_job.schedule) as summary,
    jsonb_build_object(
        'cause', 'No minute matches this schedule as pg_cron reads it.',
        'schedule', cron_job.schedule,
        'command', btrim(cron_job.command))                                        as detail,
    format('select cron.alter_job(%s, schedule => %L);', cron_job.jobid, '0 * * * *') as remedy,
    null::timestamptz                                                              as since
from cron_job
join due on due.schedule = cron_job.schedule and due.asked_at = now()
where cron_job.active
  and not due.fires
