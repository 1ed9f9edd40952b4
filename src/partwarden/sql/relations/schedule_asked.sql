-- relation: schedule_asked
-- uses: cron_server, cron_job, job_run, setting
-- why: the schedules whose due times the checks want to know: as of now, as of the latest moment whose runs should
--      have been started by now, and as of each job's newest start
select distinct cron_job.schedule, asked.at as asked_at, coalesce(cron_server.timezone, 'GMT') as zone,
                cron_server.version as cron_version
from cron_job
cross join cron_server
cross join setting
left join job_run on job_run.jobid = cron_job.jobid
cross join lateral (values (now()), (now() - setting.overdue_grace), (job_run.last_started)) as asked (at)
where asked.at is not null
