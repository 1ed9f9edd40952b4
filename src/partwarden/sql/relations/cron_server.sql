-- relation: cron_server
-- uses: given
-- why: pg_cron as a whole; one row, or none where there is no pg_cron or it can't be read
select server.*
from given
cross join jsonb_to_record(given.fact -> 'cron') as server (
    database           text,
    version            text,
    hidden             boolean,
    preloaded          boolean,
    launcher_pid       integer,
    launch_active_jobs text,
    log_run            text,
    timezone           text,
    sees_settings      boolean,
    sees_activity      boolean,
    recorded_runs      bigint,
    recorded_bytes     bigint,
    oldest_run_at      timestamptz,
    newest_runid       bigint
)
where given.fact ->> 'cron' is not null
