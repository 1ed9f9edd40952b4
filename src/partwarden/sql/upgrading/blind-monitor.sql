-- concern: blind-monitor
-- uses: cron_job
-- why: from 5.5 on, maintenance skips a set that it can't maintain, with a warning, and succeeds. pg_cron then records
--      "succeeded", and whoever looks for failed runs hears nothing any more
select
    '5.5.0'::text   as since,
    'warning'::text as severity,
    cron_job.object,
    'its run succeeds from then on, even when a set gets no partitions; ask for the state instead: partwarden check' as what,
    '{}'::text[]    as before,
    '{}'::text[]    as after
from cron_job
where cron_job.command ~* '\mrun_maintenance(_proc)?\M'
  and cron_job.database = current_database()
union all
select
    '5.5.0',
    'warning',
    format('function %s', proc.oid::regprocedure),
    'it reads cron.job_run_details; a set that is not maintained leaves no failed run there any more',
    '{}',
    '{}'
from pg_proc proc
join pg_namespace namespace on namespace.oid = proc.pronamespace
where proc.prosrc ~* '\mjob_run_details\M'
  and namespace.nspname not in ('partwarden', 'cron')
