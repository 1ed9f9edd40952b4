-- check: job-inactive
-- severity: critical, warning for jobs other than maintenance
-- needs: pg_cron, jobs
-- uses: cron_job
-- why: somebody has switched the job off, perhaps for a deployment that is long over
select
    case when cron_job.maintains then 'critical' else 'warning' end                as severity,
    cron_job.object                                                                as object,
    format('pg_cron job %s of database %s is switched off', cron_job.jobid, cron_job.database) as summary,
    jsonb_build_object(
        'cause', 'The job''s "active" is false, and no other active job does its work.',
        'schedule', cron_job.schedule,
        'command', btrim(cron_job.command))                                        as detail,
    format('select cron.alter_job(%s, active => true);', cron_job.jobid)           as remedy,
    null::timestamptz                                                              as since
from cron_job
where not cron_job.active
  and not exists (
      select from cron_job other
      where other.active and other.database = cron_job.database
        and case when cron_job.maintains then other.maintains else other.command = cron_job.command end)
