-- check: scheduler-down
-- severity: critical
-- needs: pg_cron, cron_settings, primary
-- uses: cron_server, given
-- why: pg_cron is installed and starts nothing: its library is not loaded, its launcher has ended, or it was told not to
select
    'critical'                                                                     as severity,
    'pg_cron'                                                                      as object,
    format('pg_cron starts no jobs: %s', down.reason)                              as summary,
    jsonb_build_object('cause', down.reason)                                       as detail,
    down.remedy                                                                    as remedy,
    null::timestamptz                                                              as since
from cron_server
cross join (
    select min((job ->> 'jobid')::bigint) as jobid
    from given cross join jsonb_array_elements(given.fact -> 'cron_job') job
    where not (job ->> 'role_exists')::boolean
) fatal
cross join lateral (
    select
        case
            when not cron_server.preloaded then 'its library is not in shared_preload_libraries'
            when cron_server.launch_active_jobs = 'off' then 'cron.launch_active_jobs is off'
            when cron_server.launcher_pid is null and cron_server.sees_activity and fatal.jobid is not null
                then format('its launcher dies of job %s, whose role does not exist', fatal.jobid)
            when cron_server.launcher_pid is null and cron_server.sees_activity then 'its launcher process is not there'
        end as reason,
        case
            when not cron_server.preloaded
                then 'show shared_preload_libraries;  -- add pg_cron to it (alter system set …), and restart the server'
            when cron_server.launch_active_jobs = 'off'
                then E'alter system set cron.launch_active_jobs = on;\nselect pg_reload_conf();'
            when fatal.jobid is not null then format('delete from cron.job where jobid = %s;', fatal.jobid)
            else 'select pid, backend_type from pg_stat_activity where backend_type ~ ''cron'';  '
                 '-- none: restart the server, and look into its log'
        end as remedy
) down
where down.reason is not null
