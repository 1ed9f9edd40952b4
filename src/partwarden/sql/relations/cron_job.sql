-- relation: cron_job
-- uses: given
-- why: pg_cron's jobs that have to do with partitions: those that maintain, and partwarden's own;
--      in the database that pg_cron lives in those of all databases
select
    job.*,
    format('job %s%s', job.jobid, coalesce(' (' || job.jobname || ')', '')) as object,
    job.command ~* '\m(run_maintenance(_proc)?|partwarden\.maintain)\M'  as maintains,
    coalesce(job.nodename, '') in ('', 'localhost', '127.0.0.1', '::1')
        or job.nodename like '/%'                                        as is_local
from given
cross join jsonb_to_recordset(given.fact -> 'cron_job') as job (
    jobid bigint, jobname text, schedule text, command text, database text, username text, nodename text,
    active boolean, database_exists boolean, role_exists boolean, role_can_login boolean, role_can_connect boolean)
where (given.fact -> 'cron' ->> 'database' = current_database() or job.database = current_database())
  and job.command ~* '\m(run_maintenance(_proc)?|partwarden\.\w+|send_cron_job_failures(_multi_record)?)\M'
