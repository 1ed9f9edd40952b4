-- check: run-log-off
-- severity: warning
-- needs: pg_cron, cron_settings
-- uses: cron_server
-- why: pg_cron records no runs, so that failed, late and missing ones look all the same: like nothing
select
    'warning'                                                                      as severity,
    'pg_cron'                                                                      as object,
    'pg_cron records no runs: cron.log_run is off'                                 as summary,
    jsonb_build_object('cause', 'cron.log_run is off; what jobs did can''t be looked up.') as detail,
    'alter system set cron.log_run = on;  -- then restart the server'              as remedy,
    null::timestamptz                                                              as since
from cron_server
where cron_server.log_run = 'off'
