-- check: job-stuck
-- severity: critical, warning for jobs other than maintenance
-- needs: pg_cron, runs, jobs, primary
-- uses: setting, cron_job, job_run
-- why: a run is far beyond its usual time, or is on record as running and no process works on it; pg_cron starts no other
--      run of the job meanwhile
select
    case when open.maintains then 'critical' else 'warning' end                    as severity,
    open.object                                                                    as object,
    case when open.is_dead
         then format('run %s of pg_cron job %s is "%s", and no process works on it',
                     open.newest_runid, open.jobid, open.newest_status)
         else format('pg_cron job %s has been running since %s', open.jobid,
                     to_char(open.newest_start at time zone 'UTC', 'YYYY-MM-DD HH24:MI "UTC"')) end as summary,
    jsonb_strip_nulls(jsonb_build_object(
        'cause', case when open.is_dead then 'The process has ended without a word to pg_cron.'
                      else 'It waits for something, or has much more to do than usual.' end,
        'usual_time', open.usual::text,
        'process', open.newest_pid,
        'run_id', open.newest_runid,
        'command', btrim(open.command)))                                           as detail,
    case when open.is_dead
         then format('delete from cron.job_run_details where runid = %s;', open.newest_runid)
         else format(E'select pid, wait_event_type, wait_event, pg_blocking_pids(pid), query from pg_stat_activity '
                     'where pid = %1$s;\nselect pg_cancel_backend(%1$s);', open.newest_pid) end as remedy,
    coalesce(open.newest_start, open.seen_at)                                      as since
from (
    select
        cron_job.*,
        job_run.newest_runid,
        job_run.newest_status,
        job_run.newest_start,
        job_run.newest_pid,
        job_run.seen_at,
        job_run.usual,
        cron_job.is_local and job_run.seen_at < now() - interval '1 minute' and not exists (
            select from pg_stat_activity activity
            where activity.pid = job_run.newest_pid
              and coalesce(activity.backend_start <= job_run.newest_start + interval '5 seconds', true)
        ) as is_dead
    from cron_job
    join job_run on job_run.jobid = cron_job.jobid
    where job_run.newest_status not in ('succeeded', 'failed')
) open
cross join setting
where open.is_dead
   or open.newest_start < now() - greatest(setting.stuck_after, 5 * open.usual)
