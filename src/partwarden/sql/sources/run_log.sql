-- source: run_log
-- why: the runs of pg_cron in the last day, told together for every five minutes and job. Only the newest 20,000 rows are
--      looked at, by the one index that cron.job_run_details has
select
    run.jobid,
    floor(extract(epoch from now() - run.at) / 300)::integer              as slot,
    count(*)                                                              as runs,
    count(*) filter (where run.status = 'failed')                         as failed,
    count(*) filter (where run.status not in ('succeeded', 'failed'))     as unfinished,
    max(extract(epoch from coalesce(run.end_time, now()) - run.start_time)) as longest,
    (array_agg(run.return_message order by run.runid desc) filter (where run.status = 'failed'))[1] as message
from (
    select details.*, coalesce(details.start_time, details.end_time) as at
    from cron.job_run_details details
    where details.runid > (select last_value - 20000 from cron.runid_seq)
) run
where run.at > now() - interval '1 day'
group by run.jobid, slot
