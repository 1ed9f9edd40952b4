-- source: cron_run
-- why: of each job its newest finished run, its newest run, and how long it usually takes, as a JSON array. Only the
--      newest 100,000 rows are looked at, by the one index that cron.job_run_details has
select coalesce(jsonb_agg(to_jsonb(summed)), '[]') as cron_run
from (
    select
        newest.jobid,
        finished.runid, finished.database, finished.username, finished.command, finished.status,
        finished.return_message, finished.start_time, finished.end_time,
        case when finished.status = 'failed' then history.failing_since end as failing_since,
        newest.runid      as newest_runid,
        newest.status     as newest_status,
        newest.start_time as newest_start,
        newest.job_pid    as newest_pid,
        history.last_started,
        history.usual,
        -- A run that has no start time began before those that came after it.
        coalesce(newest.start_time, (
            select min(later.start_time) from cron.job_run_details later where later.runid > newest.runid
        )) as seen_at
    from (
        select distinct on (jobid) run.*
        from cron.job_run_details run
        where run.runid > (select last_value - 100000 from cron.runid_seq)
        order by run.jobid, run.runid desc
    ) newest
    left join (
        select distinct on (jobid) run.*
        from cron.job_run_details run
        where run.runid > (select last_value - 100000 from cron.runid_seq)
          and run.status in ('succeeded', 'failed')
        order by run.jobid, run.runid desc
    ) finished on finished.jobid = newest.jobid
    left join (
        select
            jobid,
            max(start_time) as last_started,
            avg(end_time - start_time) filter (where status = 'succeeded') as usual,
            min(coalesce(start_time, end_time)) filter (where status = 'failed' and runid > last_success) as failing_since
        from (
            select run.*, coalesce(max(runid) filter (where status = 'succeeded') over (partition by jobid), 0) as last_success
            from cron.job_run_details run
            where run.runid > (select last_value - 100000 from cron.runid_seq)
        ) marked
        group by jobid
    ) history on history.jobid = newest.jobid
) summed
