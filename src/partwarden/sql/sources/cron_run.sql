-- source: cron_run
-- why: of each job its newest finished run, its newest run, and how long it usually takes, as a JSON array. Only the
--      newest 100,000 rows are looked at, by the one index that cron.job_run_details has, and once: texts are fetched for
--      the rows that are shown only. Where jobs fail, the rows since they last succeeded are looked at a second time
with job as (
    select
        jobid,
        max(runid)                                                     as newest_runid,
        max(runid) filter (where status in ('succeeded', 'failed'))    as finished_runid,
        coalesce(
            max(runid) filter (where status = 'succeeded'),
            (select last_value - 100000 from cron.runid_seq))          as last_success,
        max(start_time)                                                as last_started,
        avg(end_time - start_time) filter (where status = 'succeeded') as usual
    from cron.job_run_details
    where runid > (select last_value - 100000 from cron.runid_seq)
    group by jobid
),
failing as (
    select run.jobid, min(coalesce(run.start_time, run.end_time)) as since
    from cron.job_run_details run
    join job on job.jobid = run.jobid and job.finished_runid > job.last_success
    where run.status = 'failed'
      and run.runid > job.last_success
      and run.runid > (select min(last_success) from job where finished_runid > last_success)
    group by run.jobid
),
shown as (
    select *
    from cron.job_run_details
    where runid = any (array(select newest_runid from job union select finished_runid from job))
)
select coalesce(jsonb_agg(to_jsonb(summed)), '[]') as cron_run
from (
    select
        job.jobid,
        finished.runid, finished.database, finished.username, finished.command, finished.status,
        finished.return_message, finished.start_time, finished.end_time,
        failing.since     as failing_since,
        newest.runid      as newest_runid,
        newest.status     as newest_status,
        newest.start_time as newest_start,
        newest.job_pid    as newest_pid,
        job.last_started,
        job.usual,
        -- A run that has no start time began before those that came after it.
        coalesce(newest.start_time, (
            select min(later.start_time) from cron.job_run_details later where later.runid > newest.runid
        )) as seen_at
    from job
    join shown newest on newest.runid = job.newest_runid
    left join shown finished on finished.runid = job.finished_runid
    left join failing on failing.jobid = job.jobid
) summed
