-- source: cron_server
-- why: pg_cron as a whole, as one JSON object; read in the database that it lives in
select jsonb_build_object(
    'database', current_database(),
    'version', (select extversion from pg_catalog.pg_extension where extname = 'pg_cron'),
    'hidden', pg_catalog.row_security_active('cron.job'::regclass),
    'sees_settings', pg_catalog.pg_has_role('pg_read_all_settings', 'member'),
    'sees_activity', pg_catalog.pg_has_role('pg_read_all_stats', 'member'),
    'preloaded', (select setting ~ '\mpg_cron\M' from pg_catalog.pg_settings where name = 'shared_preload_libraries'),
    'launcher_pid', (select pid from pg_catalog.pg_stat_activity
                     where backend_type = 'pg_cron launcher' or application_name = 'pg_cron scheduler' limit 1),
    'launch_active_jobs', (select setting from pg_catalog.pg_settings where name = 'cron.launch_active_jobs'),
    'log_run', (select setting from pg_catalog.pg_settings where name = 'cron.log_run'),
    'timezone', (select setting from pg_catalog.pg_settings where name = 'cron.timezone'),
    'recorded_runs', (select greatest(reltuples, 0)::bigint from pg_catalog.pg_class
                      where oid = 'cron.job_run_details'::regclass),
    'recorded_bytes', pg_catalog.pg_relation_size('cron.job_run_details'),
    'oldest_run_at', (select start_time from cron.job_run_details order by runid limit 1),
    'newest_runid', (select last_value from cron.runid_seq)
) as cron
