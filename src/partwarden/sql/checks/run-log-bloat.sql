-- check: run-log-bloat
-- severity: warning
-- needs: pg_cron
-- uses: setting, cron_server, given
-- why: pg_cron never purges cron.job_run_details; every search in it reads all of it, because it is indexed by runid only
select
    'warning'                                                                      as severity,
    'cron.job_run_details'                                                         as object,
    format('pg_cron''s record of runs has some %s rows, %s', cron_server.recorded_runs,
        pg_size_pretty(cron_server.recorded_bytes))                                as summary,
    jsonb_strip_nulls(jsonb_build_object(
        'cause', 'Nobody purges it.',
        'rows', cron_server.recorded_runs,
        'bytes', cron_server.recorded_bytes,
        'oldest_run', cron_server.oldest_run_at))                                  as detail,
    case when given.fact ->> 'monitor' is not null and cron_server.database = current_database()
         then format('select cron.schedule_in_database(%L, %L, %L, %L);', 'partwarden purge', '17 * * * *',
                     'select partwarden.purge_job_runs()', cron_server.database)
         else format('select cron.schedule_in_database(%L, %L, %L, %L);', 'purge of job_run_details', '17 3 * * *',
                     'delete from cron.job_run_details where end_time < now() - '
                         'case status when ''failed'' then interval ''90 days'' else interval ''7 days'' end',
                     cron_server.database)
    end                                                                            as remedy,
    null::timestamptz                                                              as since
from cron_server
cross join setting
cross join given
where cron_server.recorded_runs > setting.run_log_rows
