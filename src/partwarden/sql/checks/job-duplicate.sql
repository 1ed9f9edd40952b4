-- check: job-duplicate
-- severity: warning
-- needs: pg_cron, jobs
-- uses: cron_job
-- why: several jobs maintain the same database: one holds pg_partman's lock while the other "succeeds" with nothing done
select
    'warning'                                                                      as severity,
    same.database                                                                  as object,
    format('%s pg_cron jobs maintain database %s: %s', same.number, same.database, same.jobs) as summary,
    jsonb_build_object(
        'cause', 'Each call maintains every set; only one of them can work at a time.',
        'jobs', same.jobs)                                                         as detail,
    same.remedy                                                                    as remedy,
    null::timestamptz                                                              as since
from (
    select
        cron_job.database,
        count(*)                                                        as number,
        string_agg(cron_job.jobid::text, ', ' order by cron_job.jobid)  as jobs,
        -- partwarden's own job does more than pg_partman's: that one is kept.
        format('select cron.unschedule(%s);', (array_agg(
            cron_job.jobid order by cron_job.command ~* 'partwarden\.maintain', cron_job.jobid desc))[1]) as remedy
    from cron_job
    where cron_job.active
      and cron_job.command ~* '\m(run_maintenance(_proc)?|partwarden\.maintain)\s*\(\s*\)'
    group by cron_job.database
    having count(*) > 1
) same
