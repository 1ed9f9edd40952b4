-- relation: job_run
-- uses: given
-- why: of each of those jobs, its newest finished run, its newest run, and how long it usually takes. By
--      seen_at the newest run had begun
select
    run.*,
    run.status = 'failed' and (
        run.start_time is null and run.return_message is distinct from 'server restarted'
        or run.return_message ~* '^(connection failed|job startup timeout|could not (start|connect)|FATAL:(?!.*terminat))'
    ) as could_not_connect
from given
cross join jsonb_to_recordset(given.fact -> 'cron_run') as run (
    jobid bigint, runid bigint, database text, username text, command text, status text, return_message text,
    start_time timestamptz, end_time timestamptz, failing_since timestamptz,
    newest_runid bigint, newest_status text, newest_start timestamptz, newest_pid integer,
    last_started timestamptz, usual interval, schedule text, schedule_since timestamptz, seen_at timestamptz)
