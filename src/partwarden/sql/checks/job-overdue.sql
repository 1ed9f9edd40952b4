-- check: job-overdue
-- severity: critical, warning for jobs other than maintenance
-- needs: pg_cron, runs, jobs, timezone, primary
-- uses: setting, cron_server, cron_job, job_run, due
-- why: by its schedule the job should have run, and no run was even started: a failed run would be on record, a run
--      that never was is not
select
    case when late.maintains then 'critical' else 'warning' end                    as severity,
    late.object                                                                    as object,
    format('pg_cron job %s of database %s should have run at %s and did not', late.jobid, late.database,
        to_char(late.due_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI "UTC"'))       as summary,
    jsonb_build_object(
        'cause', 'pg_cron started no run: its launcher is stopped, all its workers are taken, or the server was down.',
        'schedule', late.schedule,
        'last_started', late.last_started,
        'command', btrim(late.command))                                            as detail,
    format(E'select pid, backend_type, state from pg_stat_activity where application_name ~ ''cron'';\n'
           'select name, setting from pg_settings where name like ''cron.%%'';')    as remedy,
    late.due_at                                                                    as since
from (
    select
        cron_job.*,
        setting.overdue_grace,
        job_run.last_started,
        case when due.every is null then due.last_due
             else job_run.last_started + greatest(10 * due.every, interval '1 minute') end as due_at,
        -- That the job had this schedule already then: the monitor remembers, or its newest run kept to it.
        case
            when due.every is not null then true
            when cron_server.timezone is null and not cron_server.sees_settings
                then cron_job.schedule ~ '^(\S+(\s+\*){4}|@hourly)$'
                     and at_start.last_due = date_trunc('minute', job_run.last_started)
            else coalesce(job_run.schedule_since < due.last_due,
                          at_start.last_due = date_trunc('minute', job_run.last_started))
        end as was_scheduled
    from cron_job
    cross join cron_server
    cross join setting
    -- The newest due time is not late yet for a while, and the one before was missed all the same.
    join due on due.schedule = cron_job.schedule and due.asked_at = now() - setting.overdue_grace
    left join job_run on job_run.jobid = cron_job.jobid
    left join due at_start on at_start.schedule = cron_job.schedule and at_start.asked_at = job_run.last_started
    where cron_job.active
      and (job_run.newest_status is null or job_run.newest_status in ('succeeded', 'failed'))
) late
where late.was_scheduled
  and coalesce(late.last_started, '-infinity') < late.due_at
  and late.due_at + late.overdue_grace <= now()
